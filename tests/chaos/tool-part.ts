import * as operations from '../../infra/dev/main-job/tool-operations.ts';
import { orderDeskSlug } from '../../infra/dev/stack/order-desk.ts';
import type { Data } from '../setup/graph-data.ts';
import { persistently, until } from '../setup/persistently.ts';
import { accept, followRun, type FollowedRun } from './follow-run.ts';
import type { Job } from './milestones.ts';

/** What the part with tools was promised. */
export interface PromisedTools {
  readonly instanceId: string;
  /** Revoked in the end. */
  readonly orders: string;
  readonly status: string;
  /** The last but one SUCCEEDED; the last was started when `orders` was revoked, and did not. */
  readonly runs: readonly FollowedRun[];
}

/**
 * Binds both demo connectors, gets the agent that needs them, runs it until a run succeeds, revokes one binding and runs it once more. `name` tells this
 * part from those before it in the same project: all of its keys are made of it.
 */
export async function toolPart(
  job: Job,
  { name, projectId, organizationId }: { name: string; projectId: string; organizationId: string },
): Promise<PromisedTools> {
  const { graph, reached } = job;
  const connectors = await persistently('connectors', async () => {
    const found = await graph.query<Data>(operations.connectors, { organizationId, projectId });
    return found.connectors;
  });
  const bind = (slug: 'orders' | 'status'): Promise<string> =>
    until(`${slug} is bound`, async () => {
      const { id: connectorId, secretFields } = connectors.find((one) => one.slug === slug)!;
      const { connectorBind } = await graph.query<Data>(
        'mutation ($input: ConnectorBindInput!) { connectorBind(input: $input) { connectorBinding { id state } errors { code message } } }',
        {
          input: {
            projectId,
            connectorId,
            name: `${slug} of ${name}`,
            secret: secretFields.map((field) => ({ name: field, value: job.store.connectorSecrets[slug] })),
            idempotencyKey: `${slug} of ${name}`,
          },
        },
      );
      accept(connectorBind.errors);
      // PENDING: the one who wrote it died, and its claim has not ended yet.
      return connectorBind.connectorBinding.state === 'ACTIVE'
        ? String(connectorBind.connectorBinding.id)
        : undefined;
    });
  const status = await bind('status');
  reached('bound');
  const orders = await bind('orders');
  const instanceId = await persistently('agent with tools', async () => {
    const { instanceAutoActivate } = await graph.query<Data>(operations.instanceAutoActivate, {
      input: { projectId, offeringSlug: orderDeskSlug, idempotencyKey: `tools of ${name}` },
    });
    accept(instanceAutoActivate.errors);
    return String(instanceAutoActivate.instance.id);
  });
  await settled(job, instanceId);
  const runs: FollowedRun[] = [];
  const run = async (): Promise<FollowedRun> => {
    const followed = await followRun(graph, {
      instanceId,
      input: 'Where is my order A-1042?',
      key: `tools of ${name} ${runs.length}`,
      see: ({ __typename }) => __typename === 'ToolCallStart' && reached('tool-called'),
    });
    runs.push(followed);
    return followed;
  };
  await until('a run with tools succeeds', async () => (await run()).runState === 'SUCCEEDED' || undefined);
  reached('tool-called');
  await persistently('revoke', async () => {
    const { connectorBindingRevoke } = await graph.query<Data>(
      'mutation ($id: ID!) { connectorBindingRevoke(input: { bindingId: $id }) { connectorBinding { state } errors { code message } } }',
      { id: orders },
    );
    accept(connectorBindingRevoke.errors);
  });
  await run();
  await settled(job, instanceId);
  return { instanceId, orders, status, runs };
}

const settled = ({ graph }: Job, instanceId: string): Promise<true> =>
  until('the agent with tools is as it should be', async () => {
    const { instance } = await graph.query<Data>(
      'query ($id: ID!) { instance(id: $id) { state desiredGeneration observedGeneration } }',
      { id: instanceId },
    );
    return (
      (instance.state === 'ACTIVE' && instance.observedGeneration === instance.desiredGeneration) || undefined
    );
  });
