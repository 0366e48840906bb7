import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { runTokenSigner, type RunGrant } from '@agentstore/kernel/auth/run-token';
import { toolIdOf } from '@agentstore/kernel/connector-definition';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import * as operations from '../../infra/dev/main-job/tool-operations.ts';
import { demoArtifact } from '../../infra/dev/runtime/demo-flow.ts';
import { offeringSlug, reservePerRun } from '../../infra/dev/stack/catalogue.ts';
import { artifactBucket } from '../../infra/dev/stack/doubles.ts';
import { demoConnectors } from '../../infra/dev/upstreams/connectors.ts';
import type { BenchStore } from './open-store.ts';

/** A run under way and the token with which its flow calls tools. */
export interface ToolRun {
  readonly grant: RunGrant;
  readonly token: string;
}

/** An ACTIVE agent that may call both tools of the demo's connectors, which lead to the bench's own upstream. */
export interface ToolAgent {
  /** Starts a run that says a word each second until the bench is over; answers when its flow has begun. */
  start(): Promise<ToolRun>;
  /** Writes a new secret for the orders connector: the gateway must forget the one it has. */
  rotate(expectedVersion: number): Promise<void>;
  cancel(run: ToolRun): Promise<void>;
  /** Takes back what was bound to the orders connector. */
  revoke(): Promise<void>;
  pause(): Promise<void>;
}

const slug = 'bench-with-tools';
const patienceMs = 30_000;

/**
 * `gateway` is the audience of the tokens, `owner` the runner's origin, `upstream` that of the connectors. The agent's flow calls no tool itself: the
 * bench does, in its name.
 */
export async function openToolAgent(
  store: BenchStore,
  at: { readonly gateway: string; readonly owner: string; readonly upstream: string },
): Promise<ToolAgent> {
  const { stack } = store;
  const connectors = demoConnectors({ ordersOrigin: at.upstream, statusOrigin: at.upstream });
  await publish(stack, connectors);
  const { graph } = await store.buyer();
  const { workspaceAuto } = await graph.query<{
    workspaceAuto: { organization: { id: string }; project: { id: string } };
  }>('mutation { workspaceAuto(input: {}) { organization { id } project { id } } }');
  const { organization, project } = workspaceAuto;
  const known = await graph.query<{
    connectors: { id: string; slug: string; secretFields: string[] }[];
  }>(operations.connectors, { organizationId: organization.id, projectId: project.id });
  const secretOf = (fields: readonly string[], value: string) => fields.map((name) => ({ name, value }));
  const bindings: Record<string, string> = {};
  for (const connector of connectors) {
    const { id, secretFields } = known.connectors.find((one) => one.slug === connector.slug)!;
    const { connectorBind } = await graph.query<{ connectorBind: { connectorBinding: { id: string } } }>(
      operations.connectorBind,
      {
        input: {
          projectId: project.id,
          connectorId: id,
          name: 'of the bench',
          secret: secretOf(secretFields, benchCredential),
          idempotencyKey: crypto.randomUUID(),
        },
      },
    );
    bindings[connector.slug] = connectorBind.connectorBinding.id;
  }
  const { instanceAutoActivate } = await graph.query<{ instanceAutoActivate: { instance: { id: string } } }>(
    operations.instanceAutoActivate,
    { input: { projectId: project.id, offeringSlug: slug, idempotencyKey: crypto.randomUUID() } },
  );
  const instanceId = instanceAutoActivate.instance.id;
  for await (const { instanceChanged: now } of graph.subscribe<{
    instanceChanged: { state: string; desiredGeneration: number; observedGeneration: number };
  }>(operations.instanceWithTools, { id: instanceId }, { deadlineMs: patienceMs }))
    if (now.state === 'ACTIVE' && now.observedGeneration === now.desiredGeneration) break;

  const sign = await runTokenSigner(stack.secrets.runTokens.privateJwk, at.gateway);
  const uuidOf = (type: string, id: string) => fromGlobalId(type, id)!;
  const tenant = {
    organizationId: uuidOf('Organization', organization.id),
    projectId: uuidOf('Project', project.id),
    instanceId: uuidOf('Instance', instanceId),
  };
  const change = async (verb: string, input: object): Promise<void> => {
    const { changed } = await graph.query<{ changed: { errors: { code: string }[] } }>(
      `mutation ($input: ${verb[0]!.toUpperCase()}${verb.slice(1)}Input!) { changed: ${verb}(input: $input) { errors { code } } }`,
      { input },
    );
    if (changed.errors[0]) throw new Error(`${verb} was refused: ${changed.errors[0].code}`);
  };
  return {
    async start() {
      const { runStart } = await graph.query<{
        runStart: { run: { id: string } | null; errors: { code: string }[] };
      }>(operations.runStart, {
        input: {
          instanceId,
          input: 'scripted-slow?tokens=3000&delay=1000 Wait.',
          idempotencyKey: crypto.randomUUID(),
        },
      });
      if (!runStart.run) throw new Error(`a run was refused: ${runStart.errors[0]?.code}`);
      const runId = uuidOf('Run', runStart.run.id);
      const grant = {
        ...tenant,
        runId,
        fence: await begun(stack.doubles.adminUrl, runId),
        owner: at.owner,
        tools: connectors.flatMap((one) => one.tools.map(({ name }) => toolIdOf(one.slug, name))),
        bindings: Object.values(bindings).map((id) => uuidOf('ConnectorBinding', id)),
      };
      return { grant, token: await sign(grant, 900) };
    },
    rotate: (expectedVersion) =>
      change('connectorBindingRotate', {
        bindingId: bindings['orders'],
        expectedVersion,
        secret: secretOf(['apiKey'], `${benchCredential}-${expectedVersion + 1}`),
      }),
    cancel: ({ grant }) => change('runCancel', { runId: toGlobalId('Run', grant.runId) }),
    revoke: () => change('connectorBindingRevoke', { bindingId: bindings['orders'] }),
    pause: () => change('instancePause', { instanceId }),
  };
}

/** What the bench binds, and what its direct calls carry. */
export const benchCredential = 'the-credential-of-the-bench-0123456789';

async function publish(
  { doubles, catalogue, mounted }: BenchStore['stack'],
  connectors: ReturnType<typeof demoConnectors>,
): Promise<void> {
  const controlPlane = mounted.clientOf('control-plane', 'seed');
  for (const connector of connectors) await controlPlane.call('PUT', '/internal/connectors', connector);
  const { artifactSha256 } = catalogue;
  await controlPlane.call('PUT', '/internal/catalogue', {
    publisher: { slug: 'agentstore', name: 'Agent Store' },
    offering: {
      slug,
      name: 'Bench with tools',
      saleorProductId: null,
      saleorChannel: 'default-channel',
      capabilities: [{ name: 'chat', title: 'Chat', description: 'Answers questions in a conversation.' }],
    },
    version: {
      version: '1.0.0',
      bucket: artifactBucket,
      objectKey: `${offeringSlug}/${artifactSha256}.json`,
      sha256: artifactSha256,
      sizeBytes: demoArtifact({ modelBaseUrl: doubles.model.url }).length,
      config: {},
      configSchema: { type: 'object', properties: {} },
      requiredConnectors: connectors.map((one) => ({
        connector: one.slug,
        tools: one.tools.map(({ name }) => name),
      })),
    },
    plans: [
      {
        code: 'trial',
        name: 'Trial',
        saleorVariantId: null,
        includedCredits: '0',
        creditsExpireDays: null,
        config: {},
        entitlements: [{ capability: 'chat', limits: {} }],
        maxRunSeconds: 3_600,
        maxConcurrentRuns: 16,
      },
    ],
    creditPacks: [],
    rateCard: {
      reserve: reservePerRun,
      prices: [{ dimension: 'run', unitPrice: '1000' }],
    },
  });
}

/** The fence of a run, once its flow has said something. */
async function begun(adminUrl: string, runId: string): Promise<number> {
  const client = new pg.Client(adminUrl);
  await client.connect();
  try {
    for (const until = performance.now() + patienceMs; performance.now() < until; await sleep(50)) {
      const { rows } = await client.query<{ fence: string }>(
        `select r.fence from runs.run r where r.id = $1
         and exists (select from runs.run_event e where e.run_id = r.id and e.kind = 'TextMessageContent')`,
        [runId],
      );
      if (rows[0]) return Number(rows[0].fence);
    }
    throw new Error('a run did not begin');
  } finally {
    await client.end();
  }
}
