import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { identityOf } from '../state/process-identity.ts';
import { installLfx } from './install-lfx.ts';

let dir: string;
beforeEach(() => void (dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-install-'))));
afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

const parent = () => path.join(dir, 'cache');
const pidFile = () => path.join(dir, 'pip.pid');
const pip = () => Number(fs.readFileSync(pidFile(), 'utf8'));

/** Stands in for Python: `venv` makes an interpreter whose pip does what `pipDoes` says. */
function fakePython(pipDoes: string): string {
  const file = path.join(dir, 'python');
  const script = `#!/bin/sh
if [ "$1" = -c ]; then echo 3.12; exit; fi
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho $$ > ${pidFile()}\\n${pipDoes}\\n' > "$3/bin/python"
chmod +x "$3/bin/python"
`;
  fs.writeFileSync(file, script, { mode: 0o755 });
  return file;
}
async function started(): Promise<void> {
  await expect.poll(pip).toBeGreaterThan(0);
}
async function ended(pid: number): Promise<void> {
  await expect.poll(() => identityOf(pid)).toBeUndefined();
}

it('installs once, and answers the same complete environment again', async () => {
  const home = await installLfx({ parent: parent(), python: fakePython('true') });
  expect(fs.existsSync(path.join(home, '.complete'))).toBe(true);
  fs.rmSync(pidFile());
  expect(await installLfx({ parent: parent(), python: fakePython('true') })).toBe(home);
  expect(fs.existsSync(pidFile())).toBe(false);
});

it('leaves no pip behind when it is killed with -9, and the next one uses nothing of it', async () => {
  const installing = fork(
    path.join(import.meta.dirname, 'testing/installing-process.ts'),
    [parent(), fakePython('exec sleep 60')],
    { execArgv: [] },
  );
  await started();
  const pid = pip();
  const gone = once(installing, 'exit');
  installing.kill('SIGKILL');
  await gone;
  await ended(pid);
  const half = fs.readdirSync(parent()).filter((name) => name.includes('.build-'));
  expect(half).toHaveLength(1);
  const home = await installLfx({ parent: parent(), python: fakePython('true') });
  expect(path.basename(home)).not.toBe(half[0]);
  expect(fs.existsSync(path.join(parent(), half[0]!))).toBe(false);
});

it('ends its pip when it is interrupted, and leaves no lock', async () => {
  const stop = new AbortController();
  const installing = installLfx({
    parent: parent(),
    python: fakePython('exec sleep 60'),
    signal: stop.signal,
  });
  await started();
  stop.abort(new Error('interrupted'));
  await expect(installing).rejects.toThrow('interrupted');
  await ended(pip());
  await installLfx({ parent: parent(), python: fakePython('true') });
});

it('says how pip failed, and does not call that an environment', async () => {
  await expect(
    installLfx({ parent: parent(), python: fakePython('echo no matching distribution >&2; exit 1') }),
  ).rejects.toThrow('no matching distribution');
  expect(fs.readdirSync(parent()).every((name) => name.includes('.build-'))).toBe(true);
});
