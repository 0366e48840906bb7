import type { Scope } from '@agentstore/kernel/access';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { terminalStates } from '../runs/run.ts';
import { runById } from '../runs/runs.store.ts';
import { gap, terminalKinds, type RunEvent } from './run-event.ts';
import { eventsAfter } from './run-events.store.ts';

/** Read from the log at a time; a subscriber that is slower than the run just reads later, nothing is buffered for it. */
const batch = 500;

/**
 * Every event after `after`, then each as it is appended, until the terminal one. The log is the source and the doorbell only says when to look, so
 * a lost bell costs the poll's delay and a reconnect with the last seen seq sees every event exactly once. Undefined run: yields nothing.
 */
export async function* followRun(
  room: Room,
  scope: Scope,
  input: { runId: Uuid; after: number; signal: AbortSignal },
): AsyncGenerator<RunEvent> {
  const { runId, signal } = input;
  let last = input.after;
  for await (const _bell of room.eventChanges.follow(runId, signal)) {
    for (;;) {
      const { run, events } = await room.db.transaction(scope, async (tx) => ({
        run: await runById(tx, runId),
        events: await eventsAfter(tx, runId, last, batch),
      }));
      if (!run) return;
      for (const event of events) {
        if (event.seq > last + 1) yield gap(runId, last + 1, event.seq - 1);
        yield event;
        last = event.seq;
        if (terminalKinds.has(event.kind)) return;
      }
      if (events.length === batch) continue;
      if (terminalStates.includes(run.state)) {
        // The end is known from the row although its event is gone (retention) or the client asked from beyond it.
        if (run.lastSeq > last) yield gap(runId, last + 1, run.lastSeq);
        return;
      }
      break;
    }
  }
}
