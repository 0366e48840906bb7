import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { spawnGuarded } from '../postgres/guard.ts';
import { takeLock } from '../state/lock-file.ts';

/** Version of lfx that the pinned requirements hold. */
export const lfxVersion = '1.13.0';

const requirements = path.join(import.meta.dirname, 'requirements-lfx.txt');
const installDeadlineMs = 20 * 60_000;

export interface InstallOptions {
  /** Folder that receives the virtual environment, in a sub-folder named by the hash of the requirements and the Python version. */
  readonly parent: string;
  /** Interpreter to use; without it the first fit of python3, python3.13, python3.12, python3.11. */
  readonly python?: string;
  readonly onProgress?: (text: string) => void;
  /** Aborted: the installer under way is ended. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the virtual environment that `lfx serve` runs in, once per set of requirements, and answers its folder. Several callers may ask at the
 * same time, also from different processes: one installs, the others wait. Each try has a folder of its own, and the name that is looked for is a link to one
 * that is complete (an environment cannot be moved: its scripts hold its path), so nothing that a killed installer left is ever used. Throws with
 * what to install when there is no fitting Python.
 */
export async function installLfx(options: InstallOptions): Promise<string> {
  const say = options.onProgress ?? (() => undefined);
  const python = await findPython(options.python);
  const key = createHash('sha256')
    .update(fs.readFileSync(requirements))
    .update(python.version)
    .digest('hex')
    .slice(0, 12);
  const home = path.join(path.resolve(options.parent), `lfx-${lfxVersion}-${key}`);
  const complete = path.join(home, '.complete');
  fs.mkdirSync(path.dirname(home), { recursive: true });
  const deadline = Date.now() + installDeadlineMs;
  while (!fs.existsSync(complete)) {
    if (Date.now() > deadline)
      throw new Error(`lfx was not installed in ${installDeadlineMs / 60_000} minutes: ${home}`);
    const lock = takeLock(`${home}.lock`);
    if ('holder' in lock) {
      say(`waiting for another process that installs lfx (${lock.holder})`);
      await sleep(1_000, undefined, options.signal ? { signal: options.signal } : {});
      continue;
    }
    try {
      if (!fs.existsSync(complete)) await build(home, python, { ...options, say });
    } finally {
      lock.release();
    }
  }
  return fs.realpathSync(home);
}

/** Makes an environment in a new folder and lets `home` point to it. The caller holds the lock. */
async function build(
  home: string,
  python: Python,
  { say, signal }: { say: (text: string) => void; signal?: AbortSignal },
): Promise<void> {
  const builds = `${path.basename(home)}.build-`;
  for (const name of fs.readdirSync(path.dirname(home)))
    if (name.startsWith(builds) || name === path.basename(home))
      fs.rmSync(path.join(path.dirname(home), name), { recursive: true, force: true });
  const draft = `${home}.build-${randomBytes(4).toString('hex')}`;
  const run = (command: string, args: readonly string[]): Promise<void> =>
    runInstaller(command, args, signal ? { say, signal } : { say });
  say(`making a virtual environment with Python ${python.version}`);
  await run(python.command, ['-m', 'venv', draft]);
  say(`installing lfx ${lfxVersion} and its 130 packages (600 MB, some minutes)`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps'];
  await run(path.join(draft, 'bin/python'), [...pip, '-r', requirements]);
  fs.writeFileSync(path.join(draft, '.complete'), `${lfxVersion}\n`);
  const link = `${draft}.link`;
  fs.symlinkSync(path.basename(draft), link);
  fs.renameSync(link, home);
}

interface Python {
  readonly command: string;
  readonly version: string;
}

async function findPython(wanted: string | undefined): Promise<Python> {
  const tried: string[] = [];
  for (const command of wanted ? [wanted] : ['python3', 'python3.13', 'python3.12', 'python3.11']) {
    try {
      const probe = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
      const { stdout } = await promisify(execFile)(command, ['-c', probe], { timeout: 20_000 });
      const version = stdout.trim();
      const [major, minor] = version.split('.').map(Number);
      if (major === 3 && minor! >= 11 && minor! <= 13) return { command, version };
      tried.push(`${command} is Python ${version}`);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      tried.push(
        `${command} ${missing ? 'is not there' : 'lacks venv or ensurepip (Debian: apt-get install python3-venv)'}`,
      );
    }
  }
  throw new Error(`The lfx runtime needs Python 3.11 to 3.13 with venv: ${tried.join('; ')}.`);
}

/** The installer and whatever it starts end with us, kill -9 included: none goes on writing into an environment that another process makes anew. */
function runInstaller(
  command: string,
  args: readonly string[],
  { say, signal }: { say: (text: string) => void; signal?: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const { child, dismiss } = spawnGuarded(command, args, {
      output: ['pipe', 'pipe'],
      signal: 'KILL',
      group: true,
    });
    const kill = (): void => endGroup(child.pid);
    const timer = setTimeout(kill, installDeadlineMs);
    signal?.addEventListener('abort', kill);
    let tail = '';
    const keep = (text: string): void => {
      tail = (tail + text).slice(-4_000);
    };
    child.stdout!.setEncoding('utf8').on('data', keep);
    child.stderr!.setEncoding('utf8').on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      dismiss();
      if (code === 0) return resolve();
      if (signal?.aborted) return reject(signal.reason as Error);
      say(`${path.basename(command)} ended with ${code}`);
      reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${code}:\n${tail.trim()}`));
    });
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
