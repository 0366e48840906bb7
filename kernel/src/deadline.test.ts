import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { within } from './deadline.ts';

const never = (signal: AbortSignal): Promise<void> => sleep(60_000, undefined, { signal });

it('ends work that takes too long, and says that it was the time', async () => {
  const reasons: unknown[] = [];
  await within(5, [], (signal) => never(signal).catch(() => void reasons.push(signal.reason)));
  expect(reasons).toEqual([expect.objectContaining({ name: 'TimeoutError' })]);
});

it.each(['before', 'while'])(
  'ends work whose caller gave up %s it was done, with their reason',
  async (when) => {
    const caller = new AbortController();
    const why = new Error('changed my mind');
    if (when === 'before') caller.abort(why);
    const ended = within(60_000, [new AbortController().signal, caller.signal], async (signal) => {
      caller.abort(why);
      await never(signal).catch(() => undefined);
      return signal.reason as unknown;
    });
    expect(await ended).toBe(why);
  },
);

it('holds nothing of work that has ended, whether it did or failed', async () => {
  const { signal } = new AbortController();
  let own: AbortSignal | undefined;
  expect(await within(20, [signal], async (given) => ((own = given), 'done'))).toBe('done');
  await expect(within(20, [signal], () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  await sleep(40);
  expect(own!.aborted).toBe(false);
});
