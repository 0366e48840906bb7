import { GraphError, type GraphClient } from '../../infra/dev/main-job/graph-client.ts';
import type { Data, RunEvent } from '../setup/graph-data.ts';
import { persistently, until } from '../setup/persistently.ts';

/** A run as its client saw it end. */
export interface FollowedRun {
  readonly runId: string;
  readonly runState: string;
  /** The seqs its subscriber saw, in order. */
  readonly seqs: readonly number[];
}

/** Starts a run, twice under one key, and reads its events once each, whatever breaks off. */
export async function followRun(
  graph: GraphClient,
  wanted: {
    readonly instanceId: string;
    readonly input: string;
    readonly key: string;
    readonly started?: () => void;
    readonly see: (event: RunEvent) => void;
  },
): Promise<FollowedRun> {
  const { instanceId, key, see } = wanted;
  const input = { instanceId, input: wanted.input, idempotencyKey: key };
  const start = () =>
    persistently('run', async () => {
      const { runStart } = await graph.query<Data>(
        'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code message } } }',
        { input },
      );
      accept(runStart.errors);
      return String(runStart.run.id);
    });
  const [runId, again] = await Promise.all([start(), start()]);
  if (runId !== again) throw new Error(`one key started two runs: ${runId} and ${again}`);
  wanted.started?.();
  const seqs: number[] = [];
  await until('the events end', async () => {
    for await (const { runEvents } of graph.subscribe<Data>(
      'subscription ($id: ID!, $after: Int!) { runEvents(runId: $id, after: $after) { __typename seq } }',
      { id: runId, after: seqs.at(-1) ?? 0 },
    )) {
      seqs.push(runEvents.seq);
      see(runEvents);
      if (['RunFinished', 'RunFailed', 'RunCancelled'].includes(runEvents.__typename)) return true;
    }
    return undefined;
  });
  const runState = await until('the run ended', async () => {
    const { run: seen } = await graph.query<Data>('query ($id: ID!) { run(id: $id) { state } }', {
      id: runId,
    });
    return ['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(seen.state) ? seen.state : undefined;
  });
  return { runId, runState, seqs };
}

/** Throws what a command was refused for, as a client that repeats or gives up reads it. */
export function accept(errors: readonly { readonly code: string; readonly message: string }[]): void {
  if (errors.length)
    throw new GraphError(errors.map(({ code, message }) => ({ message, extensions: { code } })));
}
