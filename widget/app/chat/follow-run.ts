import type { Connection } from '../connection/connection.ts';
import { readRun, runEvents } from './operations.ts';
import type { Run, RunEvent } from './run-event.ts';
import { applyEvent, applyRun, type Transcript } from './transcript.ts';

/** Where a transcript is kept while its run is followed; others may change it, too. */
export interface Cell {
  transcript: Transcript;
}

/** Follows a run from where its transcript stands to its end, over any number of cuts. Throws Refused, NoSession or the signal's reason. */
export async function followRun(connection: Connection, cell: Cell, signal: AbortSignal): Promise<void> {
  const { runId } = cell.transcript.answer;
  while (!cell.transcript.isEnded) {
    let isGap = false;
    let isHole = false;
    await connection.follow<{ runEvents: RunEvent }>({
      query: runEvents,
      variables: () => ({ runId, after: cell.transcript.lastSeq }),
      next: ({ runEvents: event }) => {
        isGap = event.__typename === 'RunEventsGap';
        // What was lost on the way is asked for again.
        isHole = event.seq > cell.transcript.lastSeq + 1 && !isGap;
        if (!isHole) cell.transcript = applyEvent(cell.transcript, event);
        return isGap || isHole || cell.transcript.isEnded;
      },
      signal,
    });
    if (cell.transcript.isEnded) return;
    if (!isGap) connection.failed();
    if (isHole) continue;
    // Some of it cannot be told any more, or nothing was told: the run itself knows.
    const { run } = await connection.request<{ run: Run | null }>(readRun, () => ({ id: runId }), signal);
    if (!run) return;
    cell.transcript = applyRun(cell.transcript, run);
  }
}
