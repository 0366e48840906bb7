import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTokenSigner } from '@agentstore/kernel/auth/run-token';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { demoConnectorSecrets } from '../../../infra/dev/state/demo-connector-secrets.ts';
import { auditEntry } from '../../../infra/dev/main-job/tool-operations.ts';
import { openStore, type Person, type Store } from '../support/store.ts';
import { bind, followTools, runWithTools, settled, toolAgent, type ToolAgent } from './tool-agent.ts';

let store: Store;
let buyer: Person;
let agent: ToolAgent;
beforeAll(async () => {
  store = await openStore({ delayPerTokenMs: 1 });
  buyer = await store.signUp();
  agent = await toolAgent(store, buyer);
});
afterAll(() => store.close());

const upstreamCalls = () => store.stack.doubles.upstreams.calls();

describe('an agent with tools', () => {
  it('calls both through the gateway, and its run tells of each call once, in order, and answers with what they found', async () => {
    const before = upstreamCalls();
    const { calls, text, end, kinds } = await runWithTools(
      buyer,
      agent.instanceId,
      'Where is my order A-1042?',
    );
    expect(end).toBe('RunFinished');
    expect(calls.map(({ toolName }) => toolName).sort()).toEqual([
      'orders__find_order',
      'status__service_status',
    ]);
    expect(calls.map(({ isError }) => isError)).toEqual([false, false]);
    const [order] = calls.filter(({ toolName }) => toolName === 'orders__find_order');
    expect(order!.arguments).toContain('A-1042');
    expect(order!.content).toContain('A-1042');
    for (const kind of ['ToolCallStart', 'ToolCallArgs', 'ToolCallEnd', 'ToolCallResult'])
      expect(kinds.filter((one) => one === kind)).toHaveLength(2);
    expect(text).toContain('A-1042');
    expect(upstreamCalls().orders - before.orders).toBe(1);
  });

  it('has an audit entry of each call, with the policy that allowed it', async () => {
    const { calls } = await runWithTools(buyer, agent.instanceId, 'And order A-1043?');
    for (const { id, toolName } of calls) {
      const { auditEntry: entry } = await buyer.query(auditEntry, { id });
      expect(entry).toMatchObject({
        toolId: toolName,
        decision: 'ALLOWED',
        outcome: 'OK',
        secretVersion: 1,
        upstreamStatus: 200,
      });
      expect(entry!.policyVersion).toMatch(/^[0-9a-f-]{36}@\d+$/);
    }
    const stranger = await store.signUp();
    expect((await stranger.query(auditEntry, { id: calls[0]!.id })).auditEntry).toBeNull();
  });

  it('of two organizations sees its own orders only, however their runs are interleaved', async () => {
    const other = await store.signUp();
    const theirs = await toolAgent(store, other);
    const orders = ['A-1042', 'A-1043', 'B-2007'];
    const runs = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        i % 2
          ? runWithTools(other, theirs.instanceId, `Where is order ${orders[i % 3]}?`)
          : runWithTools(buyer, agent.instanceId, `Where is order ${orders[i % 3]}?`),
      ),
    );
    for (const [i, { calls, end }] of runs.entries()) {
      expect(end).toBe('RunFinished');
      const asked = orders[i % 3];
      expect(calls.find(({ toolName }) => toolName === 'orders__find_order')!.arguments).toContain(asked);
    }
    const rows = await store.sql(
      "select distinct organization_id::text as organization, count(*) over (partition by organization_id)::int as calls from tools.audit_record where kind = 'DECISION' and organization_id = $1",
      [fromGlobalId('Organization', theirs.organizationId)],
    );
    expect(rows).toEqual([{ organization: fromGlobalId('Organization', theirs.organizationId), calls: 6 }]);
  });
});

/** A token as runs signs it, for a run of this instance that is under way. */
async function tokenOf(person: Person, of: ToolAgent, runId: string): Promise<string> {
  const sign = await runTokenSigner(store.stack.secrets.runTokens.privateJwk, store.stack.toolsOrigin);
  const id = fromGlobalId('Run', runId)!;
  const [row] = await store.sql('select fence from runs.run where id = $1', [id]);
  return sign(
    {
      organizationId: fromGlobalId('Organization', of.organizationId)!,
      projectId: fromGlobalId('Project', of.projectId)!,
      instanceId: fromGlobalId('Instance', of.instanceId)!,
      runId: id,
      fence: Number(row!['fence']),
      owner: 'http://runner.internal',
      tools: ['orders__find_order', 'status__service_status'],
      bindings: Object.values(of.bindings).map((one) => fromGlobalId('ConnectorBinding', one)!),
    },
    600,
  );
}

/** A run that is under way until it is cancelled, and what its token may call. */
async function longRun(person: Person, of: ToolAgent) {
  const { run } = await person.run(of.instanceId, 'scripted-slow?tokens=4000&delay=50 A-1042');
  const runId = String(run!.id);
  await person.waitFor(
    'query ($id: ID!) { run(id: $id) { events { __typename } } }',
    { id: runId },
    (data) =>
      (data.run as unknown as { events: { __typename: string }[] }).events.some(
        ({ __typename }) => __typename === 'TextMessageStart',
      )
        ? true
        : undefined,
  );
  const token = await tokenOf(person, of, runId);
  return {
    runId,
    call: async (text = 'A-1042'): Promise<{ status: number; code?: string; auditId: string }> => {
      const answer = await fetch(`${store.stack.toolsOrigin}/v1/tools/orders__find_order:invoke`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ arguments: { text } }),
      });
      const body = (await answer.json()) as { code?: string; auditId: string };
      return { status: answer.status, auditId: body.auditId, ...(body.code ? { code: body.code } : {}) };
    },
    cancel: async () => {
      await person.query(
        'mutation ($id: ID!) { runCancel(input: { runId: $id }) { run { state } errors { code } } }',
        { id: runId },
      );
    },
  };
}

/** Calls until it is refused: what ended is told to the gateway, which may let a call through until it hears. */
async function refusal(run: Awaited<ReturnType<typeof longRun>>) {
  for (;;) {
    const answer = await run.call();
    if (answer.status !== 200) return answer;
  }
}

describe('what stops the next calls', () => {
  it('a cancelled run', async () => {
    const run = await longRun(buyer, agent);
    expect(await run.call()).toMatchObject({ status: 200 });
    const before = upstreamCalls();
    await run.cancel();
    expect(await run.call()).toMatchObject({ status: 410, code: 'RUN_ENDED' });
    expect(upstreamCalls()).toEqual(before);
  });

  it('a revoked binding, which is refused with its entry while nothing is asked of the upstream', async () => {
    const person = await store.signUp();
    const own = await toolAgent(store, person);
    const run = await longRun(person, own);
    expect(await run.call()).toMatchObject({ status: 200 });
    const { connectorBindingRevoke: revoked } = await person.query(
      'mutation ($id: ID!) { connectorBindingRevoke(input: { bindingId: $id }) { connectorBinding { state } errors { code } } }',
      { id: own.bindings.orders },
    );
    expect(revoked.connectorBinding.state).toBe('REVOKED');
    const answer = await refusal(run);
    expect(['BINDING_REVOKED', 'TOOL_DENIED']).toContain(answer.code);
    const { auditEntry: entry } = await person.query(auditEntry, { id: answer.auditId });
    expect(entry).toMatchObject({ decision: 'DENIED', code: answer.code });
    const before = upstreamCalls();
    expect(await run.call()).toMatchObject({ status: answer.status, code: answer.code });
    expect(upstreamCalls()).toEqual(before);
    await run.cancel();
  });

  it('a paused instance', async () => {
    const person = await store.signUp();
    const own = await toolAgent(store, person);
    const run = await longRun(person, own);
    expect(await run.call()).toMatchObject({ status: 200 });
    await person.query(
      'mutation ($id: ID!) { instancePause(input: { instanceId: $id }) { errors { code } } }',
      { id: own.instanceId },
    );
    const answer = await refusal(run);
    expect(answer).toMatchObject({ status: 403, code: 'INSTANCE_NOT_ACTIVE' });
    await run.cancel();
  });
});

describe('the secret store', () => {
  it('that is sealed fails the call and not the store; unsealed, the next one goes through', async () => {
    const person = await store.signUp();
    const own = await toolAgent(store, person);
    store.stack.doubles.vault.seal();
    const sealed = await runWithTools(person, own.instanceId, 'Where is order A-1042?').finally(() =>
      fetch(`${store.stack.doubles.vault.url}/v1/sys/unseal`, {
        method: 'PUT',
        body: JSON.stringify({ key: store.stack.secrets.vault.unsealKey }),
      }),
    );
    expect(sealed.end).toBe('RunFailed');
    const [last] = await store.sql(
      "select body::jsonb ->> 'outcome' as outcome from tools.audit_record where kind = 'COMPLETION' and organization_id = $1 order by seq desc limit 1",
      [fromGlobalId('Organization', own.organizationId)],
    );
    expect(last).toEqual({ outcome: 'SECRET_STORE_UNAVAILABLE' });
    const open = await runWithTools(person, own.instanceId, 'Where is order A-1042?');
    expect(open.end).toBe('RunFinished');
  });

  it('has the new secret for the call after a rotation', async () => {
    const person = await store.signUp();
    const own = await toolAgent(store, person);
    await runWithTools(person, own.instanceId, 'Where is order A-1042?');
    const { connectorBindingRotate: rotated } = await person.query(
      'mutation ($input: ConnectorBindingRotateInput!) { connectorBindingRotate(input: $input) { connectorBinding { state secretVersion } errors { code message } } }',
      {
        input: {
          bindingId: own.bindings.orders,
          expectedVersion: 1,
          secret: [{ name: 'apiKey', value: demoConnectorSecrets(store.stateDir).orders }],
        },
      },
    );
    expect(rotated).toMatchObject({ connectorBinding: { state: 'ACTIVE', secretVersion: 2 }, errors: [] });
    const { calls } = await runWithTools(person, own.instanceId, 'Where is order A-1042?');
    const { id } = calls.find(({ toolName }) => toolName === 'orders__find_order')!;
    expect((await person.query(auditEntry, { id })).auditEntry).toMatchObject({ secretVersion: 2 });
  });
});

it('an agent whose project has bound nothing may call nothing, and its run says so', async () => {
  const person = await store.signUp();
  const own = await toolAgent(store, person);
  for (const id of Object.values(own.bindings))
    await person.query(
      'mutation ($id: ID!) { connectorBindingRevoke(input: { bindingId: $id }) { connectorBinding { state } errors { code } } }',
      { id },
    );
  await settled(person, own.instanceId);
  const before = upstreamCalls();
  const { run } = await person.run(own.instanceId, 'Where is order A-1042?');
  const { end, calls } = await followTools(person, String(run!.id));
  expect(end).toBe('RunFailed');
  expect(calls).toEqual([]);
  expect(upstreamCalls()).toEqual(before);
  const secrets = demoConnectorSecrets(store.stateDir);
  await bind(person, { ...own, slug: 'orders', secret: secrets.orders });
  await bind(person, { ...own, slug: 'status', secret: secrets.status });
  await settled(person, own.instanceId);
  expect((await runWithTools(person, own.instanceId, 'Where is order A-1042?')).end).toBe('RunFinished');
});
