import type { OwnedAgent } from './stage.ts';

/** A run as the agent's owner sees it. */
export interface SeenRun {
  readonly id: string;
  readonly state: string;
  readonly input: string;
  readonly output: string | null;
  /** Micro-credits. */
  readonly charge: string;
  readonly rating: { readonly rating: string; readonly reason: string | null } | null;
}

/** The newest hundred runs of an agent. */
export async function runsOf({ owner, instanceId }: OwnedAgent): Promise<readonly SeenRun[]> {
  const { instance } = await owner.query(
    'query ($id: ID!) { instance(id: $id) { runs(first: 100) { edges { node { id state input output charge rating { rating reason } } } } } }',
    { id: instanceId },
  );
  return (instance.runs.edges as readonly { readonly node: SeenRun }[]).map(({ node }) => node);
}
