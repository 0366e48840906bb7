import { beforeAll, expect, it } from 'vitest';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { apiKeyCaller, userCaller } from '@agentstore/kernel/testing/callers';
import { startControlPlane, type ControlPlane, type Home } from '../testing/control-plane-app.ts';

/** A small gateway: keeps entries and answers them, newest first; 503 while it is down. */
const gateway = {
  down: false,
  asked: [] as URL[],
  entries: new Map<Uuid, ReturnType<typeof entry>>(),
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    gateway.asked.push(url);
    if (gateway.down) return problemResponse({ status: 503, code: 'UNAVAILABLE', title: 'down' });
    const { searchParams } = url;
    if (url.pathname === '/internal/audit')
      return Response.json({
        items: [...gateway.entries.values()]
          .filter(({ decision }) => decision.organizationId === searchParams.get('organizationId'))
          .filter(({ decision }) => decision.id < (searchParams.get('after') ?? 'g'))
          .toReversed()
          .slice(0, Number(searchParams.get('first'))),
      });
    const found = gateway.entries.get(url.pathname.split('/').at(-1)!);
    return found
      ? Response.json(found)
      : problemResponse({ status: 404, code: 'AUDIT_ENTRY_NOT_FOUND', title: 'none' });
  },
};

const entry = (organizationId: Uuid, more: object = {}) => ({
  decision: {
    id: uuidv7(),
    at: '2026-01-02T03:04:05.678Z',
    organizationId,
    projectId: uuidv7(),
    instanceId: uuidv7(),
    runId: uuidv7(),
    tokenId: 'token-1',
    channel: 'MCP',
    toolId: 'orders__find_order',
    definition: null,
    bindingId: null,
    policyVersion: 'instance@3',
    policyCommit: 'c0ffee',
    decision: 'DENIED',
    reason: 'TOOL_DENIED',
    argumentsHash: null,
    argumentNames: ['orderNumber'],
    idempotencyKeyHash: null,
    claimedTenantMismatch: false,
    traceId: null,
    client: null,
    ...more,
  },
  completion: null as object | null,
  meaning: 'Not allowed.',
});

let app: ControlPlane;
let home: Home;
let denied: ReturnType<typeof entry>;
let allowed: ReturnType<typeof entry>;

beforeAll(async () => {
  app = await startControlPlane({
    tools: createServiceClient({ name: 'tools', baseUrl: 'http://tools', send: gateway.fetch }),
  });
  home = await app.withWorkspace();
  denied = entry(home.organizationId);
  allowed = {
    ...entry(home.organizationId, {
      decision: 'ALLOWED',
      reason: 'ALLOWED_BY_POLICY',
      bindingId: uuidv7(),
      idempotencyKeyHash: 'hash',
    }),
    completion: {
      at: '2026-01-02T03:04:06.000Z',
      outcome: 'OK',
      secretVersion: 2,
      destination: { origin: 'https://orders.example.com', address: '203.0.113.7' },
      method: 'GET',
      upstreamStatus: 200,
      attempts: 1,
      bytesOut: 10,
      bytesIn: 20,
      latencyMs: 12.4,
      secretMs: 1,
      redactions: ['body:base64'],
    },
    meaning: 'It answered.',
  };
  for (const one of [denied, allowed]) gateway.entries.set(one.decision.id, one);
});

const one = `query ($id: ID!) { auditEntry(id: $id) { id decision code outcome reason } }`;
const list = `query ($id: ID!, $first: Int, $after: String, $filter: AuditFilter) { organization(id: $id) {
  auditEntries(first: $first, after: $after, filter: $filter) { edges { node { toolId } } pageInfo { hasNextPage endCursor } } } }`;

it('says of a refused call why, under which policy, and whose it was', async () => {
  const { auditEntry } = await app.data(
    home.person,
    `query ($id: ID!) { auditEntry(id: $id) { id at organization { id } project { id } run { id } actor channel toolId bindingId decision code outcome reason
       policyVersion policyCommit argumentNames idempotent destination redactions } }`,
    { id: denied.decision.id },
  );
  expect(auditEntry).toEqual({
    id: toGlobalId('AuditEntry', denied.decision.id),
    at: '2026-01-02T03:04:05.678Z',
    organization: { id: home.organization },
    project: null,
    run: { id: toGlobalId('Run', denied.decision.runId) },
    actor: 'run-token:token-1',
    channel: 'MCP',
    toolId: 'orders__find_order',
    bindingId: null,
    decision: 'DENIED',
    code: 'TOOL_DENIED',
    outcome: null,
    reason: 'Not allowed.',
    policyVersion: 'instance@3',
    policyCommit: 'c0ffee',
    argumentNames: ['orderNumber'],
    idempotent: false,
    destination: null,
    redactions: [],
  });
});

it('says of an allowed call how it ended, by its opaque id too', async () => {
  const { auditEntry } = await app.data(
    home.person,
    `query ($id: ID!) { auditEntry(id: $id) { bindingId outcome completedAt destination destinationAddress upstreamStatus attempts latencyMs secretVersion
       redactions idempotent } }`,
    { id: toGlobalId('AuditEntry', allowed.decision.id) },
  );
  expect(auditEntry).toEqual({
    bindingId: toGlobalId('ConnectorBinding', (allowed.decision as unknown as { bindingId: Uuid }).bindingId),
    outcome: 'OK',
    completedAt: '2026-01-02T03:04:06.000Z',
    destination: 'https://orders.example.com',
    destinationAddress: '203.0.113.7',
    upstreamStatus: 200,
    attempts: 1,
    latencyMs: 12,
    secretVersion: 2,
    redactions: ['body:base64'],
    idempotent: true,
  });
});

it('has no entry for somebody from another organization, nor one that is not there', async () => {
  const stranger = await app.withWorkspace();
  const id = denied.decision.id;
  expect(await app.data(stranger.person, one, { id })).toEqual({ auditEntry: null });
  expect(await app.data(apiKeyCaller(stranger.organizationId, 'audit:read'), one, { id })).toEqual({
    auditEntry: null,
  });
  expect(await app.data(home.person, one, { id: uuidv7() })).toEqual({ auditEntry: null });
  expect(await app.data(home.person, one, { id: 'nothing' })).toEqual({ auditEntry: null });
});

it('operators read the entries of every organization', async () => {
  expect(await app.data(userCaller([], { operator: true }), one, { id: denied.decision.id })).toMatchObject({
    auditEntry: { code: 'TOOL_DENIED' },
  });
});

it.each(['VIEWER', 'BILLING', 'MEMBER'] as const)('refuses a %s of the organization', async (role) => {
  const member = userCaller([{ organizationId: home.organizationId, role }]);
  for (const [query, id] of [
    [one, denied.decision.id],
    [list, home.organization],
  ])
    expect((await app.graph(member, query!, { id })).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
});

it('refuses somebody unknown before the gateway is asked', async () => {
  const before = gateway.asked.length;
  const answer = await app.graph({ kind: 'ANONYMOUS' }, one, { id: denied.decision.id });
  expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
  expect(gateway.asked.length).toBe(before);
});

it("pages an organization's entries, newest first", async () => {
  const page = async (after: string | null) =>
    (
      await app.data<{
        organization: {
          auditEntries: { edges: object[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
        };
      }>(home.person, list.replace('toolId', 'code'), { id: home.organization, first: 1, after })
    ).organization.auditEntries;
  const first = await page(null);
  expect(first).toMatchObject({
    edges: [{ node: { code: 'ALLOWED_BY_POLICY' } }],
    pageInfo: { hasNextPage: true },
  });
  expect(await page(first.pageInfo.endCursor)).toMatchObject({
    edges: [{ node: { code: 'TOOL_DENIED' } }],
    pageInfo: { hasNextPage: false },
  });
});

it('asks the gateway for what the filter says, in that organization', async () => {
  const runId = uuidv7();
  await app.data(home.person, list, {
    id: home.organization,
    filter: { runId: toGlobalId('Run', runId), decision: 'DENIED', toolId: 'orders__find_order' },
  });
  expect(Object.fromEntries(gateway.asked.at(-1)!.searchParams)).toEqual({
    organizationId: home.organizationId,
    first: '21',
    runId,
    decision: 'DENIED',
    toolId: 'orders__find_order',
  });
  expect(
    (await app.graph(home.person, list, { id: home.organization, filter: { runId: 'nothing' } })).errors,
  ).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

it('answers UNAVAILABLE while the gateway is away', async () => {
  gateway.down = true;
  for (const [query, id] of [
    [one, denied.decision.id],
    [list, home.organization],
  ])
    expect((await app.graph(home.person, query!, { id })).errors).toMatchObject([
      { extensions: { code: 'UNAVAILABLE' } },
    ]);
  gateway.down = false;
});
