import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@agentstore/kernel/log';
import type { Queued } from '../desired/desired-state.ts';
import type { Owner } from '../desired/subjects.ts';

const batchSize = 200;
const waitMs = 5_000;
const deadlineMs = 8_000;
const pauseMs = 1_000;

/** What the owners have in line for Git, as it comes. */
export interface Claims {
  /** What has come since; when nothing has, and `wait` is set, it waits for the first owner that answers. */
  take(o: { wait: boolean; signal: AbortSignal }): Promise<readonly Queued[]>;
  /** Drops what has come: whoever writes the branch now claims it again. */
  forget(): void;
}

/** Every owner is asked by a long poll of its own, so that one that is away, or has nothing, holds up no other. */
export function startClaims({
  owners,
  writerId,
  log,
}: {
  owners: readonly Owner[];
  writerId: string;
  log: Log;
}): Claims {
  const asking = new Map<Owner, Promise<void>>();
  let arrived: Queued[] = [];

  async function ask({ subject, client }: Owner, signal: AbortSignal): Promise<void> {
    try {
      const { items } = await client.call<{ items: Queued[] }>(
        'POST',
        '/internal/gitops:claim',
        { writerId, limit: batchSize, waitMs },
        { deadlineMs, signal },
      );
      arrived.push(...items);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, subject }, 'an owner of desired state gives no answer');
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    async take({ wait, signal }) {
      for (const owner of owners)
        if (!asking.has(owner))
          asking.set(
            owner,
            ask(owner, signal).finally(() => asking.delete(owner)),
          );
      if (wait && !arrived.length) await Promise.race(asking.values());
      const items = arrived;
      arrived = [];
      return items;
    },
    forget() {
      arrived = [];
    },
  };
}
