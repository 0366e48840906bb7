import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { createServiceClient, ServiceError } from '@agentstore/kernel/http/client';
import { fromGlobalId, toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import type { Permission } from '@agentstore/kernel/permissions';
import { serviceCaller, testTrust } from '@agentstore/kernel/testing/callers';
import { listen } from '@agentstore/kernel/testing/http';
import { member, startRunsApp, type RunsApp } from '../../../../subgraphs/runs/src/testing/runs-app.ts';
import { createApp } from '../app.ts';
import { config } from '../config.ts';
import { connect } from '../connect.ts';
import type { FlowRequest, Runtime } from '../langflow/runtime-client.ts';

const ownerUrl = 'http://runner.test:4100';
const bytes = Buffer.from(
  JSON.stringify({ data: { nodes: [{ id: 'MCPTools-1', data: { node: { display_name: 'Find order' } } }] } }),
);
const artifact = {
  bucket: 'artifacts',
  key: 'flow.json',
  sha256: createHash('sha256').update(bytes).digest('hex'),
  sizeBytes: bytes.length,
};
let runs: RunsApp;
const closers: (() => Promise<void>)[] = [];
beforeAll(async () => {
  runs = await startRunsApp();
});
afterEach(async () => {
  runs.billing.state.down = false;
  for (const close of closers.splice(0)) await close();
});

/** A flow under way whose frames the test writes. */
interface OpenFlow {
  readonly request: FlowRequest;
  say(event: string, data: object): void;
}

function writtenRuntime() {
  const opened = Promise.withResolvers<OpenFlow>();
  const runtime: Runtime = {
    flavour: 'lfx',
    ensureFlow: async () => undefined,
    async open(request, signal) {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const write = (text: string): void =>
        void writer.write(new TextEncoder().encode(text)).catch(() => undefined);
      signal.addEventListener('abort', () => void writer.abort(signal.reason).catch(() => undefined));
      const say: OpenFlow['say'] = (event, data) => write(`data: ${JSON.stringify({ event, data })}\n\n`);
      opened.resolve({ request, say });
      return readable;
    },
    stop: async () => undefined,
    ready: async () => undefined,
    close: async () => undefined,
  };
  return { runtime, opened: opened.promise };
}

/** A run whose flow has begun on a runner of its own, and the tool gateway beside them. */
async function runUnderWay(more: Readonly<Record<string, string>> = {}) {
  const settings = config.read({
    PORT: '0',
    OIDC_ISSUER: 'http://issuer.test',
    INTERNAL_JWKS: '{}',
    OIDC_CLIENT_ID: 'runner',
    OIDC_CLIENT_SECRET: 'x',
    RUNS_URL: 'http://runs',
    BILLING_URL: 'http://billing',
    S3_URL: 'http://objects.test',
    S3_ACCESS_KEY: 'x',
    S3_SECRET_KEY: 'x',
    RUNTIME_URL: 'http://runtime.test',
    RUNTIME_API_KEY: 'k',
    SESSION_SECRET: 's'.repeat(32),
    RUNNER_URL: ownerUrl,
    SHUTDOWN_SECONDS: '5',
    // No heartbeat comes: what the runner learns, it learns where the test says.
    LEASE_SECONDS: '20',
    HEARTBEAT_SECONDS: '6',
    ...more,
  });
  const trust = await testTrust('runner');
  const { runtime, opened } = writtenRuntime();
  const deps = connect(settings, {
    log: silentLog,
    authenticate: trust.authenticate,
    runs: runs.service,
    billing: createServiceClient({ name: 'billing', baseUrl: 'http://billing', send: runs.billing.fetch }),
  });
  const objects = { getObject: async () => Readable.from([bytes]) };
  const app = createApp({ ...deps, runtime, artifacts: { ...deps.artifacts, objects } });
  const facts = runs.controlPlane.add({
    artifact,
    effectiveConfig: { RUNTOKEN: 'of the configuration' },
    toolGrants: { tools: ['orders__find_order'], bindings: [] },
  });
  const { run } = await runs.start(facts);
  await app.start();
  closers.push(() => app.stop());
  const flow = await opened;
  const runId = fromGlobalId('Run', run!.id)!;

  const bearer = async (...scopes: Permission[]): Promise<string> => trust.bearer(serviceCaller(...scopes));
  const client = createServiceClient({
    name: 'runner',
    baseUrl: ownerUrl,
    send: app.fetch,
    token: async () => (await bearer('run:tool')).slice('Bearer '.length),
  });
  const call = (toolCallId: string, body: object = {}, of = runId): Promise<string> =>
    codeOf(
      client.call('POST', `/internal/runs/${of}/tool-calls`, {
        fence: 1,
        toolCallId,
        toolName: 'orders__find_order',
        arguments: '{"number":"7"}',
        ...body,
      }),
    );
  const result = (toolCallId: string, body: object = {}): Promise<string> =>
    codeOf(
      client.call('POST', `/internal/runs/${runId}/tool-calls/${toolCallId}/result`, {
        fence: 1,
        content: 'sent on Monday',
        isError: false,
        ...body,
      }),
    );
  const logged = () =>
    runs.deps.db.transaction(systemScope('test'), (tx) =>
      tx.sql<{ kind: string; payload: Record<string, unknown> }>(
        'select kind, payload from run_event where run_id = $1 order by seq',
        [runId],
      ),
    );
  /** What the log of the run has, in short. */
  const stored = async (): Promise<unknown[][]> =>
    (await logged()).map(({ kind, payload: { toolCallId, toolName, delta, content, step } }) =>
      [kind, toolCallId, toolName ?? delta ?? content ?? step].filter((part) => part !== undefined),
    );
  const cancel = () =>
    runs.graph(member(facts), `mutation { runCancel(input: { runId: "${run!.id}" }) { errors { code } } }`);
  return {
    app,
    bearer,
    facts,
    runId,
    flow,
    call,
    result,
    logged,
    stored,
    cancel,
    answer(text = 'It was sent on Monday.', blocks: readonly object[] = []) {
      const message = { id: 'm', sender: 'Machine', text, content_blocks: blocks };
      flow.say('add_message', { ...message, properties: { state: 'complete' } });
      flow.say('end', {});
    },
    /** Its last event. */
    async ended() {
      let last;
      for await (const event of runs.events(member(facts), toGlobalId('Run', runId), 0)) last = event;
      return last!;
    },
  };
}
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof ServiceError ? `${error.status} ${error.code}` : String(error)),
  );
const toolEvents = (events: readonly unknown[][]) =>
  events.filter(([kind]) => (kind as string).startsWith('ToolCall'));
const callOf = (id: string): unknown[][] => [
  ['ToolCallStart', id, 'orders__find_order'],
  ['ToolCallArgs', id, '{"number":"7"}'],
  ['ToolCallEnd', id],
];
const block = (more: object = {}) => ({
  type: 'tool_use',
  name: 'orders__find_order',
  tool_input: { number: '7' },
  ...more,
});

describe('a tool call', () => {
  it('of a node with a fixed tool is told by the gateway alone, in its place among the events of the flow', async () => {
    const run = await runUnderWay();
    const id = uuidv7();
    run.flow.say('build_start', { id: 'MCPTools-1' });
    await expect.poll(run.stored).toContainEqual(['StepStarted', 'Find order']);
    expect(await run.call(id)).toBe('ok');
    expect((await run.stored()).slice(-3)).toEqual(callOf(id));
    expect(await run.result(id)).toBe('ok');
    run.flow.say('end_vertex', { build_data: { id: 'MCPTools-1', valid: true } });
    run.answer();
    expect(await run.ended()).toMatchObject({ __typename: 'RunFinished' });
    expect((await run.stored()).slice(0, 7)).toEqual([
      ['RunStarted'],
      ['StepStarted', 'Find order'],
      ...callOf(id),
      ['ToolCallResult', id, 'sent on Monday'],
      ['StepFinished', 'Find order'],
    ]);
    expect(runs.billing.reservations.get(run.runId)!.usage).toContainEqual({
      dimension: 'tool_call',
      quantity: '1',
    });
  });

  it("of an agent is one call, told by its frames and by the gateway, with the gateway's answer", async () => {
    const run = await runUnderWay();
    const id = uuidv7();
    const message = (blocks: object[]) => ({
      id: 'm',
      sender: 'Machine',
      text: '',
      properties: { state: 'partial' },
      content_blocks: [{ title: 'Agent Steps', contents: blocks }],
    });
    run.flow.say('add_message', message([block({ tool_input: {}, output: null })]));
    run.flow.say('add_message', message([block()]));
    await expect.poll(run.stored).toContainEqual(['ToolCallEnd', 'm:0:0']);
    expect(await run.call(id)).toBe('ok');
    run.flow.say('add_message', message([block({ output: '[raw]' })]));
    expect(await run.result(id)).toBe('ok');
    run.answer('done', [{ title: 'Agent Steps', contents: [block({ output: '[raw]' })] }]);
    expect(await run.ended()).toMatchObject({ __typename: 'RunFinished' });
    expect(toolEvents(await run.stored())).toEqual([
      ...callOf('m:0:0'),
      ['ToolCallResult', 'm:0:0', 'sent on Monday'],
    ]);
  });

  it('that the gateway tells again, because an answer was lost, is told once', async () => {
    const run = await runUnderWay();
    const id = uuidv7();
    expect([await run.call(id), await run.call(id), await run.result(id), await run.result(id)]).toEqual(
      Array(4).fill('ok'),
    );
    run.answer();
    await run.ended();
    expect(toolEvents(await run.stored())).toHaveLength(4);
  });

  it('that found passages of documents has them cited by the message that comes next, and by no other', async () => {
    const run = await runUnderWay();
    const [first, second] = [uuidv7(), uuidv7()];
    const passage = (chunkId: string, page: number | null) => ({
      documentId: 'RG9jdW1lbnQ6MQ',
      documentName: 'manual.pdf',
      chunkId,
      text: 'Descale it every three months.',
      score: 0.8,
      page,
    });
    await run.call(first);
    await run.call(second, { arguments: '{"number":"8"}' });
    expect(await run.result(first, { citations: [passage('a', 2), passage('b', null)] })).toBe('ok');
    expect(await run.result(first, { citations: [passage('c', 3)] })).toBe('ok');
    expect(await run.result(second, { citations: [passage('b', null)] })).toBe('ok');
    const said = (id: string) =>
      run.flow.say('add_message', { id, sender: 'Machine', text: id, properties: { state: 'complete' } });
    said('m');
    said('n');
    run.flow.say('end', {});
    await run.ended();
    const told = (await run.logged()).filter(({ kind }) => /^(Text|Citation)/.test(kind));
    expect(told.map(({ kind, payload }) => [kind, payload['messageId'], payload['citation']])).toEqual([
      ['TextMessageStart', 'm', undefined],
      ['CitationAdded', 'm', passage('a', 2)],
      ['CitationAdded', 'm', passage('b', null)],
      ['TextMessageContent', 'm', undefined],
      ['TextMessageEnd', 'm', undefined],
      ['TextMessageStart', 'n', undefined],
      ['TextMessageContent', 'n', undefined],
      ['TextMessageEnd', 'n', undefined],
    ]);
  });

  it.each([[{ page: 0 }], [{ score: 1.1 }], [{ text: 'x'.repeat(4_001) }], [{ chunkId: '' }]])(
    'is not answered with a citation that is none: %.40j',
    async (wrong) => {
      const run = await runUnderWay();
      const id = uuidv7();
      await run.call(id);
      const good = { documentId: 'd', documentName: 'n', chunkId: 'c', text: 't', score: 1, page: 1 };
      expect(await run.result(id, { citations: [good] })).toBe('ok');
      expect(await run.result(id, { citations: [{ ...good, ...wrong }] })).toBe('400 BAD_REQUEST');
    },
  );

  it('is told in texts that a store can hold, cut to their limit', async () => {
    const run = await runUnderWay({ MAX_TOOL_TEXT_BYTES: '1024' });
    const id = uuidv7();
    const long = '漢'.repeat(200_000);
    await run.call(id, { toolName: 'a\0b', arguments: JSON.stringify({ long }) });
    await run.result(id, { content: `\ud800${long}` });
    run.answer();
    expect(await run.ended()).toMatchObject({ __typename: 'RunFinished' });
    expect(toolEvents(await run.stored())).toEqual([
      ['ToolCallStart', id, 'ab'],
      ['ToolCallArgs', id, `{"long":"${'漢'.repeat(338)}…`],
      ['ToolCallEnd', id],
      ['ToolCallResult', id, `\ufffd${'漢'.repeat(340)}…`],
    ]);
  });
});

it('the flow is given a token for its own run, whatever its configuration says', async () => {
  const run = await runUnderWay();
  expect(await runs.verifyRunToken(run.flow.request.globals['RUNTOKEN']!)).toMatchObject({
    runId: run.runId,
    organizationId: run.facts.organizationId,
    fence: 1,
    owner: ownerUrl,
    tools: ['orders__find_order'],
  });
});

describe('a call is not made', () => {
  it('when the run was cancelled: the answer says so once its beginning is stored', async () => {
    const run = await runUnderWay();
    const id = uuidv7();
    await run.cancel();
    expect(await run.call(id)).toBe('410 RUN_ENDED');
    expect(await run.ended()).toMatchObject({ __typename: 'RunCancelled' });
    expect(toolEvents(await run.stored())).toEqual(callOf(id));
  });

  it('when the run was cancelled after the flow had told of the call', async () => {
    const run = await runUnderWay();
    const message = { id: 'm', sender: 'Machine', text: '', properties: { state: 'partial' } };
    run.flow.say('add_message', { ...message, content_blocks: [block()] });
    await expect.poll(run.stored).toContainEqual(['ToolCallEnd', 'm:0']);
    await run.cancel();
    expect(await run.call(uuidv7())).toBe('410 RUN_ENDED');
    expect(await run.ended()).toMatchObject({ __typename: 'RunCancelled' });
  });

  it('when it was cancelled while a call was under way: the result is not told, and no further call begins', async () => {
    const run = await runUnderWay();
    const [first, second] = [uuidv7(), uuidv7()];
    expect(await run.call(first)).toBe('ok');
    await run.cancel();
    expect(await run.call(second, { arguments: '{}' })).toBe('410 RUN_ENDED');
    expect(await run.result(first)).toMatch(/^4(10 RUN_ENDED|09 RUN_FENCED)$/);
    await run.ended();
    expect(toolEvents(await run.stored()).map(([kind]) => kind)).not.toContain('ToolCallResult');
  });

  it('when the flow has ended, also while it is not settled yet', async () => {
    const run = await runUnderWay();
    runs.billing.state.down = true;
    run.answer();
    await expect
      .poll(() => run.call(uuidv7(), { arguments: `{"at":${Math.random()}}` }))
      .toBe('410 RUN_ENDED');
    runs.billing.state.down = false;
    expect(await run.ended()).toMatchObject({ __typename: 'RunFinished' });
    await expect.poll(() => run.call(uuidv7())).toBe('409 RUN_FENCED');
  });

  it('when another runner took the run over, nor under the fence of that one', async () => {
    const run = await runUnderWay();
    await runs.deps.db.transaction(systemScope('test'), (tx) =>
      tx.sql(`update run set lease_until = now() - interval '1 second' where id = $1`, [run.runId]),
    );
    const claim = { runnerId: 'other', ownerUrl: 'http://other.test', limit: 1, leaseMs: 60_000, waitMs: 0 };
    const taken = await runs.service.call<{ runs: { runId: string; fence: number }[] }>(
      'POST',
      '/internal/runs:claim',
      claim,
    );
    expect(taken.runs).toMatchObject([{ runId: run.runId, fence: 2 }]);
    expect(await run.call(uuidv7())).toBe('409 RUN_FENCED');
    expect(await run.call(uuidv7(), { fence: 2 })).toBe('409 RUN_FENCED');
    expect(toolEvents(await run.stored())).toEqual([]);
  });

  it('of a run that is not here, nor answered when it never began', async () => {
    const run = await runUnderWay();
    expect(await run.call(uuidv7(), {}, uuidv7())).toBe('409 RUN_FENCED');
    expect(await run.result(uuidv7())).toBe('404 TOOL_CALL_NOT_FOUND');
  });

  it.each([
    [{ toolCallId: 'm:0:0' }],
    [{ toolName: '' }],
    [{ toolName: 'x'.repeat(201) }],
    [{ arguments: { number: 7 } }],
    [{ arguments: 'x'.repeat(1_048_577) }],
    [{ fence: 0 }],
  ])('when the notice is none: %.60j', async (body) => {
    const run = await runUnderWay();
    expect(await run.call(uuidv7(), body)).toBe('400 BAD_REQUEST');
    expect(toolEvents(await run.stored())).toEqual([]);
  });

  it('for another service than the tool gateway, nor for a body that is too large', async () => {
    const run = await runUnderWay();
    const { origin } = await listen(run.app.fetch);
    const status = async (headers: Record<string, string>, body = '{}'): Promise<number> => {
      const path = `${origin}/internal/runs/${run.runId}/tool-calls`;
      return (await fetch(path, { method: 'POST', headers, body })).status;
    };
    expect(await status({})).toBe(401);
    expect(await status({ authorization: await run.bearer('run:execute') })).toBe(403);
    const authorization = await run.bearer('run:tool');
    expect(await status({ authorization }, ' '.repeat(1_100_000))).toBe(413);
  });
});
