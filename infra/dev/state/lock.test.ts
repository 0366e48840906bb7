import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeLock } from './lock-file.ts';
import { AlreadyRunning, lockState } from './lock.ts';
import { identityOf } from './process-identity.ts';

let stateDir: string;
beforeEach(() => void (stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-lock-'))));
afterEach(() => fs.rmSync(stateDir, { recursive: true, force: true }));
const file = () => path.join(stateDir, 'lock');
const holder = () =>
  fork(path.join(import.meta.dirname, 'testing/lock-holder.ts'), [stateDir], { execArgv: [] });

it('is had once, and again after it was given back', () => {
  const unlock = lockState(stateDir);
  expect(() => lockState(stateDir)).toThrow(AlreadyRunning);
  expect(() => lockState(stateDir)).toThrow(`process ${process.pid}`);
  unlock();
  lockState(stateDir)();
  expect(fs.readdirSync(stateDir)).toEqual([]);
});

it('of a killed process is taken over, and of a living one is not', async () => {
  const other = holder();
  await once(other, 'message');
  expect(() => lockState(stateDir)).toThrow(`process ${other.pid}`);
  const gone = once(other, 'exit');
  other.kill('SIGKILL');
  await gone;
  lockState(stateDir)();
});

it('is not respected for another process under a number that was used again, nor for a torn file', async () => {
  const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    fs.writeFileSync(file(), `${stranger.pid} 1 0`); // started at another time
    expect(lockState(stateDir)).not.toThrow();
    fs.writeFileSync(file(), '');
    expect(lockState(stateDir)).not.toThrow();
  } finally {
    stranger.kill('SIGKILL');
  }
});

it('is given back only by who holds it', () => {
  const unlock = lockState(stateDir);
  const other = `${identityOf(process.pid)} another`;
  fs.writeFileSync(file(), other);
  unlock();
  expect(fs.readFileSync(file(), 'utf8')).toBe(other);
});

it('goes to one of many who find it stale at once', async () => {
  fs.writeFileSync(file(), '999999999 1 0');
  const all = Array.from({ length: 6 }, holder);
  const answers = await Promise.all(
    all.map(async (one) => ((await once(one, 'message')) as [{ taken: boolean }])[0].taken),
  );
  const gone = all.map((one) => once(one, 'exit'));
  for (const one of all) one.kill('SIGKILL');
  await Promise.all(gone);
  expect(answers.filter(Boolean)).toHaveLength(1);
  expect('release' in takeLock(file())).toBe(true);
});
