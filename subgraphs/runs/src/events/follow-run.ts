import type { Scope } from '@agentstore/kernel/access';
import { GoingAwayError } from '@agentstore/kernel/going-away';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { terminalStates } from '../runs/run.ts';
import { runById } from '../runs/runs.store.ts';
import { isTerminal, withoutHoles, type RunEvent } from './run-event.ts';
import { eventsAfter } from './run-events.store.ts';

/** Events read from the log at a time. */
const page = 500;

/**
 * Every event after `after`, then each as it is appended, until the terminal one, then it ends. It takes its place in the live feed first,
 * then reads the log, then joins the two by seq, so nothing falls between and nothing comes twice. A subscriber that is too slow for its
 * bounded queue is put back to reading the log. What the log no longer keeps is said with one RunEventsGap, and a run that has ended is
 * always ended for its subscriber, from the run's row. Throws GOING_AWAY when this process stops first. The caller has checked that the run is in
 * the scope.
 */
export async function* followRun(
  room: Room,
  scope: Scope,
  input: { runId: Uuid; after: number; headSeq: number; signal: AbortSignal },
): AsyncGenerator<RunEvent, void, void> {
  const { runId } = input;
  const ended = AbortSignal.any([input.signal, room.feed.stopped]);
  const live = room.feed.attach(runId, input.headSeq);
  let last = input.after;
  let behind = true;
  try {
    while (!ended.aborted) {
      while (behind) {
        const { run, events } = await room.db.transaction(scope, async (tx) => ({
          run: await runById(tx, runId),
          events: await eventsAfter(tx, runId, last, page),
        }));
        if (!run) return;
        behind = events.length === page;
        for (const event of withoutHoles(run, last, { events, whole: !behind })) {
          yield event;
          last = event.seq;
          if (isTerminal(event.kind)) return;
        }
        // Its end was seen before.
        if (!behind && terminalStates.includes(run.state)) return;
      }
      await live.wait(ended);
      const taken = live.take();
      behind = taken.behind;
      for (const event of taken.events) {
        if (event.seq <= last) {
          if (isTerminal(event.kind)) return;
          continue;
        }
        if (event.seq > last + 1) {
          behind = true;
          break;
        }
        yield event;
        last = event.seq;
        if (isTerminal(event.kind)) return;
      }
    }
    // A clean end would say that the run has ended.
    if (!input.signal.aborted) throw goingAway();
  } finally {
    live.detach();
  }
}

const goingAway = (): GoingAwayError =>
  new GoingAwayError('The stream ends with its process; open it again with the last seq.');

/**
 * The same as an iterator that can be ended while it waits: a plain async generator hears `return()` only after its pending `next()`,
 * which for a quiet run would be at its next event.
 */
export function endable<T>(
  make: (signal: AbortSignal) => AsyncGenerator<T, void, void>,
): AsyncGenerator<T, void, void> {
  const ended = new AbortController();
  const source = make(ended.signal);
  return {
    next: () => source.next(),
    async return() {
      ended.abort();
      return source.return();
    },
    async throw(error: unknown) {
      ended.abort();
      return source.throw(error);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    async [Symbol.asyncDispose]() {
      await this.return();
    },
  };
}
