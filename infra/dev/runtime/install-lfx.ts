import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

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
}

/**
 * Makes the virtual environment that `lfx serve` runs in, once per set of requirements, and answers its folder. Several callers may ask at the
 * same time, also from different processes: one installs, the others wait. A half-made environment (its installer was killed) is made again.
 * Throws with what to install when there is no fitting Python.
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
    const release = takeLock(`${home}.lock`);
    if (!release) {
      say('waiting for another process that installs lfx');
      await sleep(1_000);
      continue;
    }
    try {
      if (fs.existsSync(complete)) break;
      fs.rmSync(home, { recursive: true, force: true });
      say(`making a virtual environment with Python ${python.version}`);
      await run(python.command, ['-m', 'venv', home], say);
      say(`installing lfx ${lfxVersion} and its 130 packages (600 MB, some minutes)`);
      await run(
        path.join(home, 'bin/python'),
        ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '-r', requirements],
        say,
      );
      fs.writeFileSync(complete, `${lfxVersion}\n`);
    } finally {
      release();
    }
  }
  return home;
}

async function findPython(wanted: string | undefined): Promise<{ command: string; version: string }> {
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

/** A lock file with the holder's process id; a lock whose holder is dead is taken over. Answers the release, or undefined when it is held. */
function takeLock(file: string): (() => void) | undefined {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
    return () => fs.rmSync(file, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isAlive(Number(readIfThere(file)))) fs.rmSync(file, { force: true });
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid > 0;
  } catch {
    return false;
  }
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function run(command: string, args: readonly string[], say: (text: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), installDeadlineMs);
    let tail = '';
    const keep = (text: string): void => {
      tail = (tail + text).slice(-4_000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve();
      say(`${path.basename(command)} ended with ${code}`);
      reject(new Error(`${command} ${args.slice(0, 3).join(' ')} ended with ${code}:\n${tail.trim()}`));
    });
  });
}
