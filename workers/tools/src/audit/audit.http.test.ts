import { beforeAll, expect, it } from 'vitest';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { createServiceApp } from '@agentstore/kernel/http/service-app';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import type { Permission } from '@agentstore/kernel/permissions';
import { serviceCaller, testTrust } from '@agentstore/kernel/testing/callers';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { someCompletion, someDecision } from '../testing/audit-records.ts';
import { auditRoutes } from './audit.http.ts';
import { parseLine, verifyChain } from './audit-chain.ts';
import type { AuditEntry } from './audit-entry.ts';
import { createAuditLog } from './audit-log.ts';
import type { AuditLog } from './audit-record.ts';

let log: AuditLog;
let client: ServiceClient;
let bearer: () => Promise<string>;
let clientWith: (...scopes: Permission[]) => ServiceClient;
const [organizationId, runId] = [uuidv7(), uuidv7()];
const allowed = someDecision({ organizationId, runId });
const denied = someDecision({
  organizationId,
  toolId: 'orders__delete_order',
  decision: 'DENIED',
  reason: 'TOOL_DENIED',
});
const underWay = someDecision({ organizationId });

beforeAll(async () => {
  const { database: db } = await openTestDatabase('tools');
  const trust = await testTrust('tools');
  const app = createServiceApp({
    log: silentLog,
    authenticate: trust.authenticate,
    ready: async () => undefined,
  });
  auditRoutes(app, { db });
  clientWith = (...scopes) =>
    createServiceClient({
      name: 'tools',
      baseUrl: 'http://tools',
      send: async (request) => app.fetch(request),
      token: async () => (await trust.bearer(serviceCaller(...scopes))).slice('Bearer '.length),
    });
  client = clientWith('audit:read');
  bearer = () => trust.bearer(serviceCaller('audit:read'));
  log = createAuditLog({ db, log: silentLog, deadlineMs: 5_000, mostWaiting: 100 });
  for (const decision of [allowed, denied, underWay, someDecision()]) await log.decided(decision);
  await log.completed(someCompletion(allowed, { upstreamStatus: 204 }));
});

const list = async (query: Record<string, string>) =>
  (
    await client.call<{ items: AuditEntry[] }>(
      'GET',
      `/internal/audit?${new URLSearchParams({ organizationId, ...query })}`,
    )
  ).items.map(({ decision }) => decision.id);

it('answers a decision with its completion and says in words how it ended', async () => {
  const entry = await client.call<AuditEntry>('GET', `/internal/audit/${allowed.id}`);
  expect(entry).toMatchObject({
    decision: allowed,
    completion: { outcome: 'OK', upstreamStatus: 204 },
    meaning: 'The call was allowed by the applied ConnectorPolicy, and the tool answered.',
  });
  expect(new Date(entry.decision.at).toISOString()).toBe(entry.decision.at);
});

it('answers a refusal, and a call that is under way, without a completion', async () => {
  expect(await client.call('GET', `/internal/audit/${denied.id}`)).toMatchObject({
    completion: null,
    meaning: expect.stringContaining('does not allow this tool'),
  });
  expect(await client.call('GET', `/internal/audit/${underWay.id}`)).toMatchObject({
    completion: null,
    meaning: expect.stringContaining('how it ended is not written'),
  });
});

it.each(['nothing', uuidv7()])('answers 404 for an entry %s, which is not there', async (id) => {
  await expect(client.call('GET', `/internal/audit/${id}`)).rejects.toMatchObject({
    status: 404,
    code: 'AUDIT_ENTRY_NOT_FOUND',
  });
});

it("lists an organization's entries newest first, page by page, and only those", async () => {
  expect(await list({})).toEqual([underWay.id, denied.id, allowed.id]);
  expect(await list({ first: '2' })).toEqual([underWay.id, denied.id]);
  expect(await list({ first: '2', after: denied.id })).toEqual([allowed.id]);
});

it('lists by run, tool and decision', async () => {
  expect(await list({ runId })).toEqual([allowed.id]);
  expect(await list({ toolId: denied.toolId })).toEqual([denied.id]);
  expect(await list({ decision: 'DENIED' })).toEqual([denied.id]);
  expect(await list({ decision: 'DENIED', runId })).toEqual([]);
});

it.each<Record<string, string>>([
  { organizationId: 'nothing' },
  { first: '102' },
  { first: '0' },
  { after: 'nothing' },
  { runId: '1' },
  { decision: 'PERHAPS' },
])('refuses to list with %o', async (query) => {
  await expect(list(query)).rejects.toMatchObject({ status: 400, code: 'BAD_REQUEST' });
});

it.each([
  `/internal/audit/${allowed.id}`,
  `/internal/audit?organizationId=${organizationId}`,
  '/internal/audit:export',
])('refuses %s to a service without audit:read', async (path) => {
  await expect(clientWith('connector:read').call('GET', path)).rejects.toMatchObject({ status: 403 });
});

it('exports the whole chain and a range of it, each with the head that it leads to', async () => {
  const exported = async (query: string) => {
    const answer = await client.fetch(`/internal/audit:export${query}`, {
      headers: { authorization: await bearer() },
    });
    return (await answer.text()).trimEnd().split('\n').map(parseLine);
  };
  const linesOf = async function* (lines: ReturnType<typeof parseLine>[]) {
    yield* lines;
  };
  expect(await verifyChain(linesOf(await exported('')))).toMatchObject({
    records: 5,
    from: 1n,
    fault: undefined,
  });
  expect(await verifyChain(linesOf(await exported('?from=2&to=4')))).toMatchObject({
    records: 3,
    from: 2n,
    last: { seq: 4n },
    fault: undefined,
  });
  await expect(client.call('GET', '/internal/audit:export?from=x')).rejects.toMatchObject({ status: 400 });
});
