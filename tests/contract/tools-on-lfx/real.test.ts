import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { noteRealServer } from '@agentstore/kernel/testing/real-servers';
import { cacheDirectory } from '../../../infra/dev/runtime/config.ts';
import { followTools, runWithTools, settled, toolAgent, type ToolAgent } from '../../e2e/tools/tool-agent.ts';
import { openStore, type Person, type Store } from '../../e2e/support/store.ts';
import { freePorts } from '../../setup/free-ports.ts';
import { portInTimeWait } from '../runtime/port-in-time-wait.ts';

const hasPython =
  spawnSync('python3', [
    '-c',
    'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))',
  ]).status === 0;
const isNeeded = hasPython || process.env['CI'] === 'true';
if (!isNeeded)
  process.stderr.write(
    '\nSKIPPED: tools on real lfx need Python 3.11 to 3.13 with venv; only the dev runtime was tested.\n\n',
  );

interface Tenant {
  readonly person: Person;
  readonly agent: ToolAgent;
}
let store: Store;
let one: Tenant;
let other: Tenant;

describe.skipIf(!isNeeded)('the store with its tool gateway on lfx', () => {
  beforeAll(async () => {
    process.env['AGENTSTORE_CACHE'] ||= cacheDirectory();
    // lfx calls its port taken, and looks upwards for another: the next one is of a part that listens later.
    const runtime = await portInTimeWait();
    store = await openStore({
      runtime: 'lfx',
      ports: { ...(await freePorts()), runtime, tools: runtime + 1 },
    });
    noteRealServer(`${store.stack.doubles.runtime.name} (whole store with its tool gateway)`);
    [one, other] = [await tenant(), await tenant()];
  }, 1_500_000);
  afterAll(() => store?.close());

  it('tells of both calls of every run once, each with its own result and audited for its own organization, round after round', async () => {
    for (const round of [
      [one, other, one, other],
      [other, one, one, other],
    ]) {
      const orders = ['A-1042', 'A-1043', 'B-2007', 'B-2011'];
      const runs = await Promise.all(
        round.map(({ person, agent }, at) =>
          runWithTools(person, agent.instanceId, `Where is order ${orders[at]}?`),
        ),
      );
      for (const [at, { runId, calls, kinds, text, end }] of runs.entries()) {
        expect(end).toBe('RunFinished');
        expect(text).toContain(orders[at]);
        for (const kind of ['ToolCallStart', 'ToolCallArgs', 'ToolCallEnd', 'ToolCallResult'])
          expect(kinds.filter((seen) => seen === kind)).toHaveLength(2);
        const told = new Map(
          calls.map(({ toolName, content }) => [toolName, JSON.parse(content!) as unknown]),
        );
        expect(Object.fromEntries(told)).toMatchObject({
          orders__find_order: { found: true, order: orders[at] },
          status__service_status: { service: 'delivery', state: 'delayed' },
        });
        const audited = await store.sql(
          "select id, organization_id as organization from tools.audit_record where kind = 'COMPLETION' and body::jsonb ->> 'outcome' = 'OK' and id in (select id from tools.audit_record where run_id = $1 and decision = 'ALLOWED') order by id",
          [fromGlobalId('Run', runId)],
        );
        const organization = fromGlobalId('Organization', round[at]!.agent.organizationId);
        expect(audited).toEqual(
          calls
            .map(({ id }) => id)
            .sort()
            .map((id) => ({ id, organization })),
        );
      }
    }
  });

  it('fails a run whose organization has bound nothing, with the reason and long before the timeout of its tools', async () => {
    const person = await store.signUp();
    const agent = await toolAgent(store, person);
    for (const bindingId of Object.values(agent.bindings)) await revoke(person, bindingId);
    await settled(person, agent.instanceId);
    expect(await refusedRun(person, agent)).toMatchObject({
      calls: [],
      message: expect.stringContaining('TOOL_DENIED'),
    });
  });

  it('refuses a run after its binding was revoked what it had been allowed', async () => {
    await revoke(other.person, other.agent.bindings.orders);
    await settled(other.person, other.agent.instanceId);
    const before = store.stack.doubles.upstreams.calls().orders;
    const refused = await refusedRun(other.person, other.agent);
    expect(refused.calls.filter(({ toolName }) => toolName === 'orders__find_order')).toEqual([]);
    expect(refused.message).toContain('TOOL_DENIED');
    expect(store.stack.doubles.upstreams.calls().orders).toBe(before);
    const { end } = await runWithTools(one.person, one.agent.instanceId, 'Where is order A-1042?');
    expect(end).toBe('RunFinished');
  });

  it('ends a run that is cancelled during a tool call', async () => {
    const silent = await silentUpstreams();
    try {
      const { run } = await one.person.run(one.agent.instanceId, 'Where is order A-1042?');
      const runId = String(run.id);
      const following = followTools(one.person, runId);
      await silent.asked;
      await one.person.query(
        'mutation ($id: ID!) { runCancel(input: { runId: $id }) { run { state } errors { code } } }',
        { id: runId },
      );
      expect(await following).toMatchObject({ end: 'RunCancelled' });
    } finally {
      silent.close();
    }
  });
});

async function tenant(): Promise<Tenant> {
  const person = await store.signUp();
  return { person, agent: await toolAgent(store, person) };
}

async function revoke(person: Person, bindingId: string): Promise<void> {
  await person.query(
    'mutation ($id: ID!) { connectorBindingRevoke(input: { bindingId: $id }) { connectorBinding { state } errors { code } } }',
    { id: bindingId },
  );
}

/** A run that must fail while its tools would still be waited for: their nodes wait 30 s. */
async function refusedRun(person: Person, agent: ToolAgent) {
  const { run } = await person.run(agent.instanceId, 'Where is order A-1042?');
  const id = String(run.id);
  const failed = await person.waitFor(
    'query ($id: ID!) { run(id: $id) { state error { code message retryable } } }',
    { id },
    ({ run: seen }) => (seen.state === 'FAILED' ? seen : undefined),
  );
  const { calls } = await followTools(person, id);
  return { calls, message: failed.error!.message };
}

/** In the place of the demo's upstreams, one that takes requests and never answers; `asked` resolves with the first. */
async function silentUpstreams(): Promise<{ asked: Promise<unknown>; close: () => void }> {
  const { upstreams } = store.stack.doubles;
  const server = http.createServer();
  const asked = once(server, 'request');
  await upstreams.stop();
  server.listen(Number(new URL(upstreams.url).port), '127.0.0.1');
  await once(server, 'listening');
  return {
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
