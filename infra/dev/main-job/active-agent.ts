import { accept, type Errors } from './accept.ts';
import type { GraphClient } from './graph-client.ts';
import { instanceAutoActivate, instanceWithTools } from './tool-operations.ts';

const activeWithinMs = 60_000;

interface InstanceNow {
  readonly state: string;
  readonly desiredGeneration: number;
  readonly observedGeneration: number;
}

/** The project's trial agent of an offering, made once, when it is ACTIVE at its newest generation; answers its id and that generation. */
export async function activeAgent(
  graph: GraphClient,
  { projectId, offeringSlug }: { readonly projectId: string; readonly offeringSlug: string },
): Promise<{ readonly id: string; readonly generation: number }> {
  const { instanceAutoActivate: made } = await graph.query<{
    instanceAutoActivate: { instance: { id: string } | null; errors: Errors };
  }>(instanceAutoActivate, {
    input: { projectId, offeringSlug, idempotencyKey: `demo-${offeringSlug}` },
  });
  accept(made.errors);
  const { id } = made.instance!;
  for await (const { instanceChanged: now } of graph.subscribe<{ instanceChanged: InstanceNow }>(
    instanceWithTools,
    { id },
    { deadlineMs: activeWithinMs },
  ))
    if (now.state === 'ACTIVE' && now.observedGeneration >= now.desiredGeneration)
      return { id, generation: now.observedGeneration };
  throw new Error(`the agent ${offeringSlug} did not become ACTIVE`);
}
