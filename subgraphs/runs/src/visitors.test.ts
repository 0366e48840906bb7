import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callerScope } from '@agentstore/kernel/access';
import { anonymous, type Caller, type WidgetCaller } from '@agentstore/kernel/caller';
import { fromGlobalId, toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { userCaller, widgetCaller as visitor } from '@agentstore/kernel/testing/callers';
import { eventFields, member, startRunsApp, type RunsApp, type SeenEvent } from './testing/runs-app.ts';
import type { InstanceFacts } from './runs/run.ts';

let app: RunsApp;
let admin: pg.Client;
let facts: InstanceFacts;
let alice: WidgetCaller;
beforeAll(async () => {
  app = await startRunsApp();
  admin = new pg.Client({ connectionString: app.adminUrl, options: '-c search_path=runs' });
  await admin.connect();
  return () => admin.end();
});
beforeEach(() => {
  facts = app.controlPlane.add();
  alice = visitor(facts);
  app.billing.state.available = 1_000_000_000n;
});

type Answer = Readonly<Record<string, never>>;
const query = async (caller: Caller, text: string, variables: object = {}): Promise<Answer> => {
  const { data, errors } = await app.graph(caller, text, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data!;
};

/** Takes all open runs as a runner and answers the fence of one. */
async function claim(globalId: string): Promise<{ runId: string; fence: number }> {
  const body = { runnerId: 'r', ownerUrl: 'http://r.test', limit: 100, leaseMs: 60_000, waitMs: 0 };
  const { runs } = await app.service.call<{ runs: { runId: string; fence: number }[] }>(
    'POST',
    '/internal/runs:claim',
    body,
  );
  return runs.find(({ runId }) => runId === fromGlobalId('Run', globalId))!;
}
const talk = async (caller: Caller, charge = '3', more: object = {}): Promise<string> => {
  const { run } = await app.start(facts, {}, caller);
  await app.finish(await claim(run!.id), { output: 'hi!', ...more }, charge);
  return run!.id;
};
const conversationOf = async (caller: Caller, id: string): Promise<string> => {
  const { run } = (await query(caller, `{ run(id: "${id}") { conversation { id } } }`)) as unknown as {
    run: { conversation: { id: string } };
  };
  return run.conversation.id;
};
const codesOf = ({ errors }: { errors: readonly { code: string }[] }): string[] =>
  errors.map(({ code }) => code);

describe('a visitor', () => {
  it('talks to the instance of their session and reads what was said', async () => {
    const id = await talk(alice);
    const answer = await query(
      alice,
      `{ run(id: "${id}") { id state input output lastSeq instance { id } events { __typename seq }
           conversation { title runs { edges { node { id } } } messages { edges { node { content } } } } } }`,
    );
    expect(answer['run']).toMatchObject({
      state: 'SUCCEEDED',
      input: 'hello',
      output: 'hi!',
      instance: { id: toGlobalId('Instance', facts.instanceId) },
      events: [{ __typename: 'RunFinished', seq: 1 }],
      conversation: {
        title: 'hello',
        runs: { edges: [{ node: { id } }] },
        messages: { edges: [{ node: { content: 'hello' } }, { node: { content: 'hi!' } }] },
      },
    });
    const conversationId = await conversationOf(alice, id);
    expect((await app.start(facts, { conversationId }, alice)).errors).toEqual([]);
  });

  it('starts on no other instance, also of the same organization', async () => {
    const sibling = app.controlPlane.add({ organizationId: facts.organizationId });
    const theirs = await app.start(sibling, {}, alice);
    expect(theirs).toMatchObject({ run: null, errors: [{ code: 'INSTANCE_NOT_FOUND' }] });
    expect(await app.start(facts, { instanceId: toGlobalId('Instance', uuidv7()) }, alice)).toEqual(theirs);
    const liar = visitor(facts, { organizationId: uuidv7() });
    expect(await app.start(facts, {}, liar)).toEqual(theirs);
  });

  it('cannot say what a run may be charged', async () => {
    const { errors } = await app.start(facts, { maxCharge: '50000000' }, alice);
    expect(errors).toMatchObject([{ code: 'INVALID_INPUT', field: 'maxCharge' }]);
  });

  it('knows an instance by its id only', async () => {
    const r = [{ __typename: 'Instance', id: toGlobalId('Instance', facts.instanceId) }];
    for (const field of ['runs', 'conversations']) {
      const { errors } = await app.graph(
        alice,
        `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Instance { ${field} { edges { cursor } } } } }`,
        { r },
      );
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    }
  });
});

describe("what is not the visitor's", () => {
  const others: Readonly<Record<string, () => Caller>> = {
    'another visitor': () => visitor(facts),
    'a member of the organization': () => member(facts),
    'the same visitor of another instance': () =>
      visitor(app.controlPlane.add({ organizationId: facts.organizationId }), { visitorId: alice.visitorId }),
  };

  it.each(Object.keys(others))('is not there for them: of %s', async (name) => {
    const other = others[name]!();
    const at = other.kind === 'WIDGET_SESSION' ? { ...facts, instanceId: other.instanceId } : facts;
    const { run } = await app.start(at, {}, other);
    const { id } = run!;
    const conversationId = await conversationOf(other, id);
    const representations = [
      { __typename: 'Run', id },
      { __typename: 'Conversation', id: conversationId },
    ];
    expect(
      await query(
        alice,
        `query ($run: ID!, $conversation: ID!, $representations: [_Any!]!) { run(id: $run) { id } conversation(id: $conversation) { id }
           _entities(representations: $representations) { __typename } visitorConversations { edges { node { id } } } }`,
        { run: id, conversation: conversationId, representations },
      ),
    ).toEqual({
      run: null,
      conversation: null,
      _entities: [null, null],
      visitorConversations: { edges: [] },
    });
    expect(
      await query(
        alice,
        `mutation ($id: ID!) { runCancel(input: { runId: $id }) { run { id } errors { code } }
           runRate(input: { runId: $id, rating: UP }) { run { id } errors { code } } }`,
        { id },
      ),
    ).toEqual({
      runCancel: { run: null, errors: [{ code: 'RUN_NOT_FOUND' }] },
      runRate: { run: null, errors: [{ code: 'RUN_NOT_FOUND' }] },
    });
    await expect(app.events(alice, id, 0).next()).rejects.toThrow(/NOT_FOUND/);
    expect(codesOf(await app.start(facts, { conversationId }, alice))).toEqual(['CONVERSATION_NOT_FOUND']);
    expect(await query(other, `{ run(id: "${id}") { state } }`)).toEqual({ run: { state: 'QUEUED' } });
  });

  it('stays hidden from every query that forgot to ask whose it is', async () => {
    await talk(alice);
    await talk(visitor(facts));
    await talk(member(facts));
    const counts = async (caller: Caller): Promise<unknown> => {
      const tables = ['conversation', 'run', 'run_event', 'run_key', 'run_rating'];
      return app.deps.db.transaction(callerScope(caller, 'run:read'), (tx) =>
        tx.sql(
          `select ${tables.map((table) => `(select count(*)::int from ${table}) as ${table}`).join(', ')}`,
        ),
      );
    };
    await query(
      alice,
      `mutation ($id: ID!) { runRate(input: { runId: $id, rating: UP }) { errors { code } } }`,
      {
        id: await talk(alice),
      },
    );
    expect(await counts(alice)).toEqual([
      { conversation: 2, run: 2, run_event: 2, run_key: 2, run_rating: 1 },
    ]);
    expect(await counts(visitor(facts))).toEqual([
      { conversation: 0, run: 0, run_event: 0, run_key: 0, run_rating: 0 },
    ]);
    expect(await counts(member(facts))).toEqual([
      { conversation: 4, run: 4, run_event: 4, run_key: 4, run_rating: 1 },
    ]);
  });

  it('is cancelled and followed by whose it is', async () => {
    const { run } = await app.start(facts, {}, alice);
    const owner = await claim(run!.id);
    const seen = app.events(alice, run!.id, 0);
    const first = seen.next();
    const text = 'mutation ($id: ID!) { runCancel(input: { runId: $id }) { run { state } } }';
    expect(await query(alice, text, { id: run!.id })).toEqual({
      runCancel: { run: { state: 'CANCELLING' } },
    });
    await app.finish(owner, { state: 'CANCELLED', output: null });
    expect((await first).value).toMatchObject({ __typename: 'RunCancelled', charge: null });
  });
});

it('a member reads the talks of visitors, and goes on with none', async () => {
  const id = await talk(alice);
  const conversationId = await conversationOf(member(facts), id);
  expect(codesOf(await app.start(facts, { conversationId }))).toEqual(['CONVERSATION_NOT_FOUND']);
});

it('one idempotency key is another one for each visitor and for the members', async () => {
  const idempotencyKey = 'the same';
  const callers = [alice, visitor(facts), member(facts), alice];
  const ids: unknown[] = [];
  for (const caller of callers) ids.push((await app.start(facts, { idempotencyKey }, caller)).run?.id);
  expect(new Set(ids).size).toBe(3);
  expect(ids[3]).toBe(ids[0]);
});

describe('the spend cap of a visitor', () => {
  const held = () =>
    [...app.billing.reservations].filter(([, { organizationId }]) => organizationId === facts.organizationId);
  const maxChargeOf = (globalId: string): unknown =>
    (JSON.parse(app.billing.reservations.get(fromGlobalId('Run', globalId)!)!.body) as { maxCharge: unknown })
      .maxCharge;

  it('bounds what each run may be charged by what is left of it, until less is left than a run reserves', async () => {
    const capped = { ...alice, spendCap: '25000000' };
    expect(maxChargeOf(await talk(capped, '9000000'))).toBe('25000000');
    expect(maxChargeOf(await talk(capped, '6000001'))).toBe('16000000');
    const refused = await app.start(facts, { idempotencyKey: 'again' }, capped);
    expect(refused).toEqual({
      run: null,
      required: null,
      available: null,
      missing: null,
      errors: [
        {
          code: 'VISITOR_CAP_REACHED',
          message: 'Your share of this agent is used up for now.',
          field: null,
        },
      ],
    });
    expect((await app.start(facts, {}, visitor(facts, { spendCap: '25000000' }))).errors).toEqual([]);
    await admin.query(
      "update run set requested_at = now() - interval '24 hours' where visitor_id = $1 and charge = 9000000",
      [alice.visitorId],
    );
    const { run } = await app.start(facts, { idempotencyKey: 'again' }, capped);
    expect(maxChargeOf(run!.id)).toBe('18999999');
  });

  it('is not got past by starts at the same moment', async () => {
    const payloads = await Promise.all(Array.from({ length: 8 }, () => app.start(facts, {}, alice)));
    expect(payloads.filter(({ run }) => run)).toHaveLength(1);
    expect(payloads.flatMap(codesOf)).toEqual(Array<string>(7).fill('TOO_MANY_RUNS'));
    expect(held().filter(([, { status }]) => status === 'OPEN')).toHaveLength(1);
  });

  it('is held by an open run, and the next start waits for its end under the same key', async () => {
    const { run } = await app.start(facts, {}, alice);
    const next = { idempotencyKey: 'next' };
    expect((await app.start(facts, next, alice)).errors).toEqual([
      {
        code: 'TOO_MANY_RUNS',
        message: 'The agent is busy. Try again in a moment.',
        field: 'instanceId',
      },
    ]);
    await app.finish(await claim(run!.id), {}, '1000000');
    expect(maxChargeOf((await app.start(facts, next, alice)).run!.id)).toBe('99000000');
  });

  it('counts a run of which billing could not say the charge at its most', async () => {
    const { run } = await app.start(facts, {}, alice);
    const { runId, fence } = await claim(run!.id);
    const ending = { state: 'SUCCEEDED', output: 'done', usage: null, error: null, billed: [] };
    await app.service.call('POST', `/internal/runs/${runId}/ending`, { fence, ...ending });
    await app.service.call('POST', `/internal/runs/${runId}/finish`, { fence, charge: null });
    expect(codesOf(await app.start(facts, {}, alice))).toEqual(['VISITOR_CAP_REACHED']);
  });

  it('that changed before a retry changes nothing of what is reserved already', async () => {
    app.billing.state.loseAnswers = 2;
    const key = { idempotencyKey: 'lost' };
    await expect(app.start(facts, key, alice)).rejects.toThrow(/UNAVAILABLE/);
    const { run } = await app.start(facts, key, { ...alice, spendCap: '200000000' });
    expect(held()).toMatchObject([[fromGlobalId('Run', run!.id), { status: 'OPEN' }]]);
  });

  it('that was lowered meanwhile is kept to, and what was reserved is given back', async () => {
    app.billing.state.loseAnswers = 2;
    const key = { idempotencyKey: 'lowered' };
    await expect(app.start(facts, key, alice)).rejects.toThrow(/UNAVAILABLE/);
    const { errors } = await app.start(facts, key, { ...alice, spendCap: '50000000' });
    expect(errors).toMatchObject([{ code: 'VISITOR_CAP_REACHED' }]);
    expect(held()).toMatchObject([[expect.any(String), { status: 'RELEASED' }]]);
  });
});

describe('what a visitor is told', () => {
  it('has no amounts when the wallet is short', async () => {
    app.billing.state.available = 4_000_000n;
    const key = { idempotencyKey: 'short' };
    expect(await app.start(facts, key, alice)).toEqual({
      run: null,
      required: null,
      available: null,
      missing: null,
      errors: [{ code: 'INSUFFICIENT_CREDITS', message: 'The agent is out of credits.', field: null }],
    });
    app.billing.state.available = 10_000_000n;
    expect((await app.start(facts, key, alice)).errors).toEqual([]);
  });

  it.each([
    [{ state: 'PROVISIONING' }, 'INSTANCE_NOT_ACTIVE', 'The agent is not available.'],
    [{ paused: true }, 'INSTANCE_PAUSED', 'The agent is paused.'],
    [
      { limits: { maxRunSeconds: 60, maxConcurrentRuns: 0 } },
      'TOO_MANY_RUNS',
      'The agent is busy. Try again in a moment.',
    ],
  ])('has nothing of the plan or the instance that is %o', async (more, code, message) => {
    const other = app.controlPlane.add(more);
    expect((await app.start(other, {}, visitor(other))).errors).toMatchObject([{ code, message }]);
  });

  it.each(['WALLET_FROZEN', 'RATE_CARD_NOT_FOUND'])(
    'has nothing of what billing refuses with %s',
    async (code) => {
      app.billing.state.refuseStart = code;
      const { errors } = await app.start(facts, {}, alice);
      app.billing.state.refuseStart = undefined;
      expect(JSON.stringify(errors)).not.toMatch(/WALLET|wallet|PRICE|price/);
      expect(errors).toHaveLength(1);
    },
  );

  it('has neither charge nor usage of their runs, which members see', async () => {
    const usage = { status: 'MISSING', models: [], toolCalls: 0, durationMs: 5 };
    const id = await talk(alice, '7', { usage });
    const selection = `{ run(id: "${id}") { usage { durationMs } events { ... on RunFinished { charge usage { durationMs } } } } }`;
    expect(await query(alice, selection)).toEqual({
      run: { usage: null, events: [{ charge: null, usage: null }] },
    });
    expect(await query(member(facts), selection)).toEqual({
      run: { usage: { durationMs: 5 }, events: [{ charge: '7', usage: { durationMs: 5 } }] },
    });
    const seen = await app.events(alice, id, 0).next();
    expect(seen.value).toMatchObject({ __typename: 'RunFinished', charge: null, usage: null });
  });

  it.each([
    ['CREDITS_EXHAUSTED', 'The agent is out of credits.'],
    ['MAX_CHARGE_REACHED', 'Your share of this agent is used up for now.'],
    ['RUNTIME_ERROR', 'The agent could not answer.'],
  ])('is why a run failed with %s in few words', async (code, message) => {
    const error = { code, message: 'The step "Prices" of the wallet failed.', retryable: false };
    const id = await talk(alice, '7', { state: 'FAILED', output: null, error });
    const selection = `{ run(id: "${id}") { error { code message } events { ... on RunFailed { error { message } charge } } } }`;
    expect(await query(alice, selection)).toEqual({
      run: { error: { code, message }, events: [{ error: { message }, charge: null }] },
    });
    expect(await query(member(facts), selection)).toMatchObject({
      run: { error: { message: error.message } },
    });
  });
});

describe("a run's events", () => {
  const toolCallId = 'call-1';
  const citation = {
    documentId: 'd',
    documentName: 'manual.pdf',
    chunkId: 'c',
    text: 't',
    score: 1,
    page: 1,
  };
  const stored: readonly [kind: string, payload: object][] = [
    ['RunStarted', { conversationId: uuidv7() }],
    ['StepStarted', { step: 'Find order' }],
    ['ToolCallStart', { toolCallId, toolName: 'orders__find_order' }],
    ['ToolCallArgs', { toolCallId, delta: '{"number":"7"}' }],
    ['ToolCallEnd', { toolCallId }],
    ['ToolCallResult', { toolCallId, content: 'sent'.padEnd(3_000, '!'), isError: false }],
    ['StepFinished', { step: 'Find order' }],
    ['TextMessageStart', { messageId: 'm', role: 'assistant' }],
    ['CitationAdded', { messageId: 'm', citation }],
    ['TextMessageContent', { messageId: 'm', delta: 'hi!' }],
    ['TextMessageEnd', { messageId: 'm' }],
  ];
  const said = [
    { __typename: 'TextMessageStart', seq: 8 },
    { __typename: 'CitationAdded', seq: 9, citation: { documentName: 'manual.pdf' } },
    { __typename: 'TextMessageContent', seq: 10, messageId: 'm', delta: 'hi!' },
    { __typename: 'TextMessageEnd', seq: 11 },
    { __typename: 'RunFinished', seq: 12, output: 'hi!', charge: null, usage: null },
  ];
  const withheld = (seq: number) => ({ __typename: 'RunEventWithheld', seq });
  const steps = [
    { __typename: 'ToolCallStart', seq: 3, toolCallId, toolName: 'find_order' },
    { __typename: 'ToolCallArgs', seq: 4, toolCallId, delta: '{"number":"7"}' },
    { __typename: 'ToolCallEnd', seq: 5, toolCallId },
    {
      __typename: 'ToolCallResult',
      seq: 6,
      toolCallId,
      content: `${'sent'.padEnd(2_000, '!')}…`,
      isError: false,
    },
  ];

  /** A run of the visitor that told all of it while they followed it, with what they saw of it then. */
  async function told(caller: Caller): Promise<{ id: string; live: SeenEvent[] }> {
    const { run } = await app.start(facts, {}, caller);
    const owner = await claim(run!.id);
    const live = followed(caller, run!.id, 0);
    const at = new Date().toISOString();
    await app.service.call('POST', `/internal/runs/${owner.runId}/events`, {
      fence: owner.fence,
      events: stored.map(([kind, payload], index) => ({ seq: index + 1, kind, at, payload })),
    });
    await app.finish(owner, { output: 'hi!' });
    return { id: run!.id, live: await live };
  }
  async function followed(caller: Caller, id: string, after: number): Promise<SeenEvent[]> {
    const events: SeenEvent[] = [];
    for await (const event of app.events(caller, id, after)) events.push(event);
    return events;
  }
  const read = async (caller: Caller, id: string): Promise<readonly SeenEvent[]> =>
    (
      (await query(caller, `{ run(id: "${id}") { events { ${eventFields} } } }`)) as unknown as {
        run: { events: SeenEvent[] };
      }
    ).run.events;
  const bare = (events: readonly SeenEvent[]) =>
    events.map(({ runId: _run, at: _at, ...event }) => (event.seq === 1 ? event.__typename : event));

  it.each([
    ['with the beginning of tool steps', true, steps],
    ['without anything of a tool call', false, [3, 4, 5, 6].map(withheld)],
  ])('are the same however they are read, %s', async (_how, showToolSteps, ofTools) => {
    const caller = { ...alice, showToolSteps };
    const { id, live } = await told(caller);
    const expected = ['RunStarted', withheld(2), ...ofTools, withheld(7), ...said];
    expect(bare(live)).toEqual(expected);
    expect(bare(await read(caller, id))).toEqual(expected);
    for (let seen = 0; seen < expected.length; seen += 1)
      expect(bare(await followed(caller, id, seen))).toEqual(expected.slice(seen));
  });

  it('of a visitor are all told to a member', async () => {
    const { id } = await told({ ...alice, showToolSteps: false });
    const kinds = [...stored.map(([kind]) => kind), 'RunFinished'];
    for (const events of [await read(member(facts), id), await followed(member(facts), id, 0)]) {
      expect(events.map(({ __typename }) => __typename)).toEqual(kinds);
      expect(events[2]).toMatchObject({ toolName: 'orders__find_order' });
      expect(events[5]).toMatchObject({ content: 'sent'.padEnd(3_000, '!') });
    }
  });
});

describe('a rating', () => {
  const rate = async (caller: Caller, id: string, input: string) =>
    (
      await query(
        caller,
        `mutation ($id: ID!) { runRate(input: { runId: $id, ${input} }) { run { rating { rating reason } } errors { code field } } }`,
        { id },
      )
    )['runRate'] as unknown;
  const read = async (caller: Caller, id: string): Promise<unknown> =>
    (await query(caller, `{ run(id: "${id}") { rating { rating reason at } } }`))['run'];

  it('is of a run that has ended', async () => {
    const { run } = await app.start(facts, {}, alice);
    expect(await rate(alice, run!.id, 'rating: UP')).toEqual({
      run: null,
      errors: [{ code: 'RUN_NOT_ENDED', field: 'runId' }],
    });
  });

  it('is replaced by the next one of the same visitor, and seen by members', async () => {
    const id = await talk(alice);
    expect(await read(alice, id)).toEqual({ rating: null });
    await rate(alice, id, 'rating: UP');
    const last = { rating: 'DOWN', reason: 'It was the wrong machine.' };
    expect(await rate(alice, id, 'rating: DOWN, reason: "It was the wrong machine."')).toEqual({
      run: { rating: last },
      errors: [],
    });
    expect(await read(member(facts), id)).toMatchObject({ rating: last });
    expect(
      (await admin.query('select from run_rating where run_id = $1', [fromGlobalId('Run', id)])).rowCount,
    ).toBe(1);
  });

  it('of a member stands beside it, and the visitor does not see it', async () => {
    const id = await talk(alice);
    const colleague = member(facts);
    await rate(colleague, id, 'rating: DOWN');
    expect(await read(alice, id)).toEqual({ rating: null });
    await rate(alice, id, 'rating: UP');
    expect(await read(alice, id)).toMatchObject({ rating: { rating: 'UP' } });
    expect(await read(colleague, id)).toMatchObject({ rating: { rating: 'DOWN' } });
    expect(await read(member(facts), id)).toMatchObject({ rating: { rating: 'UP' } });
  });

  it('needs run:start', async () => {
    const id = await talk(alice);
    const viewer = userCaller([{ organizationId: facts.organizationId, role: 'VIEWER' }]);
    expect(await rate(viewer, id, 'rating: UP')).toMatchObject({ errors: [{ code: 'RUN_NOT_FOUND' }] });
  });

  it.each([['x'.repeat(1_001)], ['a\\u0000b']])('has no reason like %s', async (reason) => {
    const id = await talk(alice);
    expect(await rate(alice, id, `rating: UP, reason: "${reason}"`)).toMatchObject({
      errors: [{ code: 'INVALID_INPUT', field: 'reason' }],
    });
    expect(await rate(alice, id, `rating: UP, reason: "${'ü'.repeat(1_000)}"`)).toMatchObject({ errors: [] });
  });
});

describe('visitorConversations', () => {
  const text =
    'query ($after: String) { visitorConversations(first: 2, after: $after) { edges { node { title } } pageInfo { hasNextPage endCursor } } }';

  it("pages the visitor's own, newest first", async () => {
    for (const input of ['one', 'two', 'three']) {
      const { run } = await app.start(facts, { input }, alice);
      await app.finish(await claim(run!.id));
      await app.start(facts, { input: `not ${input}` });
    }
    const pageOf = async (after: string | null) =>
      (await query(alice, text, { after }))['visitorConversations'] as unknown as {
        edges: { node: { title: string } }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
    const first = await pageOf(null);
    const rest = await pageOf(first.pageInfo.endCursor);
    expect([...first.edges, ...rest.edges].map(({ node }) => node.title)).toEqual(['three', 'two', 'one']);
    expect([first, rest].map(({ pageInfo }) => pageInfo.hasNextPage)).toEqual([true, false]);
  });

  it('are for visitors only', async () => {
    for (const [caller, code] of [
      [member(facts), 'FORBIDDEN'],
      [anonymous, 'UNAUTHENTICATED'],
    ] as const)
      expect((await app.graph(caller, text)).errors).toMatchObject([{ extensions: { code } }]);
  });
});
