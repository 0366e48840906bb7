import { expect, it } from 'vitest';
import { orderlyEnd } from './orderly-end.ts';

function ending(stop: () => Promise<void>, deadlineMs = 60_000) {
  const exits: number[] = [];
  const clock = { now: 0 };
  const end = orderlyEnd({
    stop,
    exit: (code) => void exits.push(code),
    deadlineMs,
    now: () => clock.now,
  });
  return { end, exits, clock };
}

it('takes the second signal of one Ctrl-C for the same key, and stops in order', async () => {
  let stopped: () => void = () => undefined;
  const { end, exits, clock } = ending(() => new Promise((resolve) => (stopped = resolve)));
  end.interrupt();
  clock.now = 1;
  end.interrupt();
  expect(exits).toEqual([]);
  expect(end.signal.aborted).toBe(true);
  stopped();
  await end.end(1);
  expect(exits).toEqual([0]);
});

it('ends at once for a person who asks again later', () => {
  const { end, exits, clock } = ending(() => new Promise(() => undefined));
  end.interrupt();
  clock.now = 1_500;
  end.interrupt();
  expect(exits).toEqual([1]);
});

it('lets a failure that the end itself caused wait for that end', async () => {
  let stopped: () => void = () => undefined;
  const { end, exits } = ending(() => new Promise((resolve) => (stopped = resolve)));
  end.interrupt();
  const failed = end.end(1);
  expect(exits).toEqual([]);
  stopped();
  await failed;
  expect(exits).toEqual([0]);
});

it('says with its exit code that stopping failed, or did not end in time', async () => {
  const failing = ending(() => Promise.reject(new Error('no')));
  await failing.end.end(0);
  expect(failing.exits).toEqual([1]);
  const hanging = ending(() => new Promise(() => undefined), 1);
  await hanging.end.end(0);
  expect(hanging.exits).toEqual([1]);
});
