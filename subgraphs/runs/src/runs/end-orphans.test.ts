import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import type { Deps } from '../deps.ts';
import { createOrphanSweep } from './end-orphans.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

it('a sweep that could not ask the database gives owners, who could not either, their time again', async () => {
  let isDown = false;
  const asked: number[] = [];
  const db = {
    transaction: async (_scope: unknown, work: (tx: object) => Promise<unknown>) => {
      if (isDown) throw new Error('connect ECONNREFUSED');
      return work({
        sql: async (_text: string, [, lostAfterMs]: number[]) => (asked.push(lostAfterMs!), []),
      });
    },
  };
  const sweep = createOrphanSweep({ db, log: silentLog } as unknown as Deps);
  const after = async (ms: number): Promise<number> => {
    vi.setSystemTime(Date.now() + ms);
    await sweep();
    return asked.at(-1)!;
  };
  expect(await after(0)).toBeGreaterThan(60_000);
  expect(await after(4_000)).toBeGreaterThan(60_000);
  expect(await after(1_000)).toBe(5_000);
  isDown = true;
  await expect(after(30_000)).rejects.toThrow('ECONNREFUSED');
  isDown = false;
  expect(await after(1_000)).toBeGreaterThan(60_000);
  expect(await after(5_000)).toBe(5_000);
});
