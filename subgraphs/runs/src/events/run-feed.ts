import { systemScope } from '@agentstore/kernel/access';
import type { Database } from '@agentstore/kernel/db/database';
import { createListener } from '@agentstore/kernel/db/listener';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Log } from '@agentstore/kernel/log';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { RunEvent } from './run-event.ts';
import { eventsAfterEach, type SizedEvent } from './run-events.store.ts';

/** How much may wait for one subscriber before it has to catch up from the log instead. */
export interface QueueLimits {
  readonly events: number;
  readonly bytes: number;
}

/** A subscriber's place in the live stream of one run. */
export interface LiveQueue {
  /** The waiting events in order, taken out; `behind` when some were thrown away and the log must be read again. */
  take(): { events: readonly RunEvent[]; behind: boolean };
  /** Resolves when there is something to take or the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
  detach(): void;
}

/**
 * The live end of all run logs in this process: one LISTEN connection on 16 shard channels, a set of dirty runs, and one query for all of
 * them, handed to every subscriber's bounded queue. Doorbells carry run ids only; a poll finds what a lost one left.
 */
export interface RunFeed {
  /** Takes a place before the log is read, so that nothing falls between. `head`: a seq whose events are all in the log already. */
  attach(runId: Uuid, head: number): LiveQueue;
  readonly stopped: AbortSignal;
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Topic {
  head: number;
  readonly queues: Set<Queue>;
}

/** Events of one run read for the live end at a time; a longer burst takes another query. */
const batch = 500;

export function createRunFeed(options: {
  database: Database;
  log: Log;
  limits: QueueLimits;
  pollMs: number;
}): RunFeed {
  const { database, log, limits } = options;
  const topics = new Map<Uuid, Topic>();
  const dirty = new Set<Uuid>();
  const stopping = new AbortController();
  const scope = systemScope('run-feed');
  let polledAt = 0;
  let loop: Loop | undefined;
  const listener = createListener({
    database,
    channels: Array.from({ length: 16 }, (_, shard) => `runs_events_${shard.toString(16)}`),
    onNotify: (_channel, runId) => {
      if (!topics.has(runId)) return;
      dirty.add(runId);
      loop?.wake();
    },
    onGap: () => {
      polledAt = 0;
      loop?.wake();
    },
    log,
  });

  /** One query for all dirty runs; for every watched run when the poll is due or doorbells may have been missed. */
  async function readDirty(): Promise<boolean> {
    const poll = dirty.size === 0 || Date.now() - polledAt >= options.pollMs;
    if (poll) polledAt = Date.now();
    const runIds = poll ? [...topics.keys()] : [...dirty];
    dirty.clear();
    const wanted = runIds.flatMap((runId) => {
      const topic = topics.get(runId);
      return topic ? [{ runId, after: topic.head }] : [];
    });
    if (wanted.length === 0) return false;
    const events = await database
      .transaction(scope, (tx) => eventsAfterEach(tx, wanted, batch))
      .catch((error: unknown) => {
        for (const runId of runIds) dirty.add(runId);
        throw error;
      });
    const counts = new Map<Uuid, number>();
    for (const event of events) {
      counts.set(event.runId, (counts.get(event.runId) ?? 0) + 1);
      const topic = topics.get(event.runId);
      if (!topic || event.seq <= topic.head) continue;
      topic.head = event.seq;
      for (const queue of topic.queues) queue.push(event);
    }
    for (const [runId, count] of counts) if (count === batch) dirty.add(runId);
    return dirty.size > 0;
  }

  return {
    stopped: stopping.signal,
    attach(runId, head) {
      const topic = topics.get(runId) ?? { head, queues: new Set<Queue>() };
      topics.set(runId, topic);
      const queue = createQueue(limits, () => {
        topic.queues.delete(queue);
        if (topic.queues.size === 0) topics.delete(runId);
      });
      topic.queues.add(queue);
      return queue;
    },
    async start() {
      await listener.start();
      loop = startLoop({ name: 'run-feed', log, everyMs: options.pollMs, work: readDirty });
    },
    async stop() {
      stopping.abort();
      await Promise.all([listener.stop(), loop?.stop()]);
    },
  };
}

interface Queue extends LiveQueue {
  push(event: SizedEvent): void;
}

function createQueue(limits: QueueLimits, detach: () => void): Queue {
  let events: RunEvent[] = [];
  let bytes = 0;
  let behind = false;
  let ring: (() => void) | undefined;
  return {
    detach,
    push(event) {
      if (!behind) {
        events.push(event);
        bytes += event.size;
        if (events.length > limits.events || bytes > limits.bytes) {
          behind = true;
          events = [];
        }
      }
      ring?.();
    },
    take() {
      const taken = { events, behind };
      events = [];
      bytes = 0;
      behind = false;
      return taken;
    },
    async wait(signal) {
      if (events.length > 0 || behind || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const rung = (): void => {
          ring = undefined;
          signal.removeEventListener('abort', rung);
          resolve();
        };
        ring = rung;
        signal.addEventListener('abort', rung, { once: true });
      });
    },
  };
}
