import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';

async function started(...args: readonly string[]) {
  const child = fork(path.join(import.meta.dirname, 'testing/stoppable-process.ts'), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stdout!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  let origin = '';
  await new Promise<void>((resolve) =>
    child.on('message', (message) => {
      if (typeof message === 'object' && 'origin' in message) origin = String(message.origin);
      if (message === 'set up') resolve();
    }),
  );
  return { child, ended, origin };
}

/** Sends the signal and waits until the process has served it. */
async function signal(child: ChildProcess, name: NodeJS.Signals): Promise<void> {
  const served = once(child, 'message');
  child.kill(name);
  await served;
}

it('stops in order at the first signal, and takes a repeat at once for the same one', async () => {
  const { child, ended } = await started();
  let served = 0;
  child.on('message', () => (served += 1));
  // Two of one kind that wait together become one.
  for (const name of ['SIGINT', 'SIGTERM'] as const) child.kill(name);
  await expect.poll(() => served).toBe(2);
  child.send('end');
  expect(await ended).toEqual({ code: 0, said: 'closed' });
});

it('ends at once at a second signal that comes later', async () => {
  const { child, ended } = await started();
  await signal(child, 'SIGTERM');
  await sleep(1_050);
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 1, said: '' });
});

it('closes what was opened also when the background work does not stop, and says so by its code', async () => {
  const { child, ended } = await started();
  await signal(child, 'SIGTERM');
  child.send('fail');
  expect(await ended).toEqual({ code: 1, said: 'closed' });
});

it.each([
  [['listens'], 200],
  [[], 'refused'],
])('takes requests to the end only where its work needs it: %j', async (args, answer) => {
  const { child, ended, origin } = await started(...args);
  await signal(child, 'SIGTERM');
  expect(
    await fetch(origin).then(
      ({ status }) => status,
      () => 'refused',
    ),
  ).toBe(answer);
  child.send('end');
  expect(await ended).toEqual({ code: 0, said: 'closed' });
});
