import { createHash } from 'node:crypto';
import { Client } from 'minio';
import pg from 'pg';
import { afterAll } from 'vitest';
import type { Caller } from '@agentstore/kernel/caller';
import { credits } from '@agentstore/kernel/credits';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import type { Permission } from '@agentstore/kernel/permissions';
import { serviceCaller, testTrust, userCaller } from '@agentstore/kernel/testing/callers';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { createApp } from '../app.ts';
import type { Deps } from '../deps.ts';
import { createSmallSecretStore } from './small-secret-store.ts';
import { createSmallBilling } from './small-billing.ts';

export interface GraphAnswer {
  // Each test knows the shape of what it asked for.
  readonly data?: Readonly<Record<string, never>> | null;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

type PersonCaller = Extract<Caller, { kind: 'USER' }>;

/** What a token says of a person; what is left out is made up. */
interface Known {
  readonly subject?: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly saleorUserId?: string;
}

/** A person with a workspace of their own; ids are global but `organizationId`. */
export interface Home {
  readonly person: PersonCaller;
  readonly organization: string;
  readonly organizationId: Uuid;
  readonly project: string;
}

const issuer = 'https://issuer.test';
const neighbours: readonly Permission[] = [
  'callers:resolve',
  'instance:provision',
  'instance:entitlements',
  'order:grant',
  'gitops:write',
  'gitops:observe',
  'offering:publish',
  'connector:read',
  'connector:manage',
  'widget:session',
];

/** The control plane on a database of the test file's own, beside a small billing, started. */
export async function startControlPlane(more: Partial<Deps> = {}) {
  const made = await openTestDatabase('control_plane');
  const trust = await testTrust('control-plane');
  const billing = createSmallBilling();
  const secrets = createSmallSecretStore();
  const app = createApp({
    db: made.database,
    authenticate: trust.authenticate,
    log: silentLog,
    billing: createServiceClient({ name: 'billing', baseUrl: 'http://billing', send: billing.fetch }),
    // Nobody listens there: a test that reads audit entries brings its own gateway.
    tools: createServiceClient({ name: 'tools', baseUrl: 'http://127.0.0.1:1' }),
    // Nobody listens there: a test that stores objects brings its own.
    objects: new Client({
      endPoint: '127.0.0.1',
      port: 1,
      useSSL: false,
      accessKey: 'x',
      secretKey: 'x',
      region: 'us-east-1',
    }),
    toolsOrigin: 'https://tools.test',
    artifactBucket: 'artifacts',
    knowledge: { knowledgeBases: 1, documents: 10, bytes: 1_000_000 },
    branding: { visitorSpendCap: credits(10), loopbackOrigins: false },
    trial: { credits: credits(100), days: 30 },
    secrets,
    ...more,
  });
  await app.start();
  afterAll(() => app.stop());

  /** A client with the permissions of all services that call the control plane, or with only these. */
  const clientWith = (...scopes: Permission[]): ServiceClient =>
    createServiceClient({
      name: 'control-plane',
      baseUrl: 'http://cp',
      send: app.fetch,
      token: async () =>
        (await trust.bearer(serviceCaller(...(scopes.length ? scopes : neighbours)))).slice('Bearer '.length),
    });
  const service = clientWith();

  const ask = async (
    caller: Caller,
    body: object,
    o: { accept: string; signal?: AbortSignal },
  ): Promise<Response> =>
    app.fetch(
      new Request('http://cp/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: o.accept,
          ...(caller.kind === 'ANONYMOUS' ? {} : { authorization: await trust.bearer(caller) }),
        },
        body: JSON.stringify(body),
        ...(o.signal ? { signal: o.signal } : {}),
      }),
    );

  const self = {
    ...made,
    app,
    billing,
    secrets,
    service,
    clientWith,
    async graph(caller: Caller, query: string, variables: object = {}): Promise<GraphAnswer> {
      const answer = await ask(caller, { query, variables }, { accept: 'application/json' });
      return answer.json() as Promise<GraphAnswer>;
    },
    /** The same, where any error is the test's failure. */
    async data<T = Record<string, never>>(caller: Caller, query: string, variables: object = {}): Promise<T> {
      const answer = await self.graph(caller, query, variables);
      if (answer.errors) throw new Error(JSON.stringify(answer.errors));
      return answer.data as T;
    },
    /** A subscription's payloads as they come, until the server completes or the signal aborts. */
    async *follow<T>(
      caller: Caller,
      o: { query: string; variables: object; signal: AbortSignal },
    ): AsyncGenerator<T, void, void> {
      const { query, variables, signal } = o;
      const answer = await ask(caller, { query, variables }, { accept: 'text/event-stream', signal });
      yield* readSse<T>(answer, o.signal);
    },
    /** Signs a person in as the router does; with `known`, the same person again. */
    async signIn(known: Known = {}): Promise<PersonCaller> {
      const subject = known.subject ?? uuidv7();
      const email = known.email ?? `${subject}@example.test`;
      const claims = { issuer, subject, email, emailVerified: known.emailVerified ?? true };
      const { userId, memberships } = await service.call<{
        userId: Uuid;
        memberships: PersonCaller['memberships'];
      }>('POST', '/internal/callers:resolve', claims);
      const { saleorUserId } = known;
      if (saleorUserId) await service.call('PUT', `/internal/users/${userId}/saleor-user`, { saleorUserId });
      return userCaller(memberships, {
        userId,
        subject,
        email,
        emailVerified: claims.emailVerified,
        ...(saleorUserId ? { saleorUserId } : {}),
      }) as PersonCaller;
    },
    /** A person with a workspace of their own. */
    async withWorkspace(known: Known = {}): Promise<Home> {
      const first = await self.signIn(known);
      const { workspaceAuto } = await self.data<{
        workspaceAuto: { organization: { id: string }; project: { id: string } };
      }>(first, 'mutation { workspaceAuto(input: {}) { organization { id } project { id } } }');
      const person = await self.signIn({ ...known, subject: first.subject, email: first.email });
      return {
        person,
        organization: workspaceAuto.organization.id,
        organizationId: person.memberships[0]!.organizationId,
        project: workspaceAuto.project.id,
      };
    },
    /** A trial instance of the catalogue's offering in a project; answers its global id. */
    async activate(person: Caller, projectId: string, idempotencyKey: string = uuidv7()): Promise<string> {
      const input = { projectId, offeringSlug: catalogue.offering.slug, idempotencyKey };
      const { instanceAutoActivate } = await self.data<{
        instanceAutoActivate: { instance: { id: string } | null; errors: object[] };
      }>(
        person,
        `mutation ($input: InstanceAutoActivateInput!) { instanceAutoActivate(input: $input) { instance { id } errors { code message } } }`,
        { input },
      );
      if (!instanceAutoActivate.instance) throw new Error(JSON.stringify(instanceAutoActivate.errors));
      return instanceAutoActivate.instance.id;
    },
    /** Plays Git and the cluster: commits the instance's newest desired state and reports it ready. */
    async settle(instance: string): Promise<void> {
      const instanceId = uuidOf('Instance', instance);
      const { items } = await service.call<{
        items: { outboxId: Uuid; instanceId: Uuid; generation: number }[];
      }>('POST', '/internal/gitops:claim', { writerId: 'test', limit: 100, waitMs: 0 });
      const item = items.find((one) => one.instanceId === instanceId)!;
      await service.call('POST', '/internal/gitops:committed', { items: [{ ...item, commit }] });
      await self.observe(instance, item.generation);
    },
    observe(
      instance: string,
      observedGeneration: number,
      status: 'True' | 'False' = 'True',
    ): Promise<{ state: string }> {
      return service.call<{ state: string }>(
        'POST',
        `/internal/instances/${uuidOf('Instance', instance)}/conditions`,
        { observedGeneration, commit, resources: readyResources(observedGeneration, status) },
      );
    },
    /** A stream of JSON lines over REST; it ends with the signal. */
    async *lines<T>(path: string, signal: AbortSignal): AsyncGenerator<T, void, void> {
      const authorization = await trust.bearer(serviceCaller(...neighbours));
      const answer = await app.fetch(new Request(`http://cp${path}`, { headers: { authorization }, signal }));
      let text = '';
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        const whole = (text + chunk).split('\n');
        text = whole.pop()!;
        for (const line of whole) yield JSON.parse(line) as T;
      }
    },
    /** Behind row-level security, as the superuser. */
    async rows<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
      const client = new pg.Client({
        connectionString: made.adminUrl,
        options: '-c search_path=control_plane,public',
      });
      await client.connect();
      try {
        return (await client.query<Row>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
  };
  return self;
}
export type ControlPlane = Awaited<ReturnType<typeof startControlPlane>>;

export const commit = 'c0ffee'.padEnd(40, '0');
const readyResources = (observedGeneration: number, status: string) =>
  ['GatewayRoute', 'GatewayPolicy', 'ConnectorPolicy'].map((kind) => ({
    kind,
    name: kind.toLowerCase(),
    conditions: [
      {
        type: 'Ready',
        status,
        reason: status === 'True' ? 'Programmed' : 'ArtifactMissing',
        message: 'as observed',
        observedGeneration,
        lastTransitionTime: new Date(0).toISOString(),
      },
    ],
  }));

/** The UUID inside a global id of ours. */
export const uuidOf = (type: string, globalId: string): Uuid =>
  Buffer.from(globalId, 'base64url')
    .toString()
    .slice(type.length + 1);
/** A global id of nothing. */
export const nowhere = (type: string): string => toGlobalId(type, uuidv7());

/** A variant of the shop, by Saleor's global id. */
export const variantId = (pk: number): string => Buffer.from(`ProductVariant:${pk}`).toString('base64');

/** What `PUT /internal/catalogue` takes: an offering with a trial and a pro plan, and one credit pack. */
export const catalogue = {
  publisher: { slug: 'acme', name: 'Acme' },
  offering: {
    slug: 'support-agent',
    name: 'Support agent',
    saleorProductId: 'UHJvZHVjdDox',
    saleorChannel: 'default-channel',
    capabilities: [{ name: 'chat', title: 'Chat', description: 'Answers.' }],
  },
  version: {
    version: '1.0.0',
    bucket: 'artifacts',
    objectKey: 'support-agent/1.0.0.json',
    sha256: createHash('sha256').update('flow').digest('hex'),
    sizeBytes: 4,
    config: { tone: 'friendly', model: { name: 'small' } },
    configSchema: {
      type: 'object',
      properties: { tone: { type: 'string', enum: ['friendly', 'formal'] } },
    },
  },
  plans: [
    {
      code: 'trial',
      name: 'Trial',
      saleorVariantId: null as string | null,
      includedCredits: '0',
      creditsExpireDays: null as number | null,
      config: {},
      entitlements: [{ capability: 'chat', limits: { runsPerMinute: 6 } }],
      maxRunSeconds: 60,
      maxConcurrentRuns: 1,
    },
    {
      code: 'pro',
      name: 'Pro',
      saleorVariantId: variantId(11),
      includedCredits: '500000000',
      creditsExpireDays: 31,
      config: { model: { name: 'large' } },
      entitlements: [{ capability: 'chat', limits: {} }],
      maxRunSeconds: 300,
      maxConcurrentRuns: 5,
    },
  ],
  creditPacks: [{ saleorVariantId: variantId(12), credits: '1000000000', expiresAfterDays: 365 }],
  rateCard: { prices: [{ dimension: 'run', unitPrice: '1' }], reserve: '5000000' },
};

/** What the subgraph writes: `event: next`, one `data:` line, a blank line. */
async function* readSse<T>(answer: Response, signal: AbortSignal): AsyncGenerator<T, void, void> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel);
  try {
    for (let text = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (text + value).split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const payload = /^event: next\ndata: (.*)$/m.exec(block)?.[1];
        if (payload === undefined) continue;
        const { data, errors } = JSON.parse(payload) as { data?: T; errors?: object[] };
        if (errors) throw new Error(JSON.stringify(errors));
        yield data!;
      }
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    await reader.cancel().catch(() => undefined);
  }
}
