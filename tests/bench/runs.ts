import * as operations from '../../infra/dev/main-job/operations.ts';
import type { Buyer } from './open-store.ts';

/** One run as its subscriber saw it. */
export interface Watched {
  /** From sending runStart to the first TextMessageContent, milliseconds. */
  readonly firstTextMs: number;
  /** All events, of every kind. */
  readonly events: number;
  /** Text events in order: characters so far, and when they came (performance.now()). */
  readonly text: { readonly end: number; readonly at: number }[];
}

interface Event {
  readonly __typename: string;
  readonly delta?: string;
  readonly error?: { readonly code: string };
}

/** Starts a run through the router and follows it over graphql-ws to its end. Throws when it is refused or fails. */
export async function watchRun({ graph }: Buyer, instanceId: string, prompt: string): Promise<Watched> {
  const began = performance.now();
  const { runStart } = await graph.query<{
    runStart: { run: { id: string } | null; errors: { code: string }[] };
  }>(operations.runStart, { input: { instanceId, input: prompt, idempotencyKey: crypto.randomUUID() } });
  if (!runStart.run) throw new Error(`a run was refused: ${runStart.errors[0]?.code}`);
  const text: Watched['text'] = [];
  let events = 0;
  let ended = '';
  for await (const { runEvents } of graph.subscribe<{ runEvents: Event }>(operations.runEvents, {
    runId: runStart.run.id,
    after: 0,
  })) {
    events += 1;
    ended = runEvents.error?.code ?? runEvents.__typename;
    if (runEvents.delta)
      text.push({ end: (text.at(-1)?.end ?? 0) + runEvents.delta.length, at: performance.now() });
  }
  if (ended !== 'RunFinished' || !text[0]) throw new Error(`a run ended with ${ended}`);
  return { firstTextMs: text[0].at - began, events, text };
}
