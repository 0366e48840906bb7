import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { apiKeyCaller, userCaller } from '@agentstore/kernel/testing/callers';
import { fromGlobalId, toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { member, startRunsApp, type RunsApp } from '../testing/runs-app.ts';
import { dropAbandonedKey, setKeyState } from './run-keys.store.ts';
import type { InstanceFacts } from './run.ts';

let app: RunsApp;
let admin: pg.Client;
let facts: InstanceFacts;
beforeAll(async () => {
  app = await startRunsApp();
  admin = new pg.Client({ connectionString: app.adminUrl, options: '-c search_path=runs' });
  await admin.connect();
  return () => admin.end();
});
beforeEach(() => {
  facts = app.controlPlane.add();
  app.billing.state.available = 1_000_000_000n;
  app.billing.state.down = false;
});

const runsOf = async (organizationId: string): Promise<number> =>
  (await admin.query('select from run where organization_id = $1', [organizationId])).rowCount!;

describe('runStart', () => {
  it('reserves under the run id and queues the run', async () => {
    const { run, errors } = await app.start(facts);
    expect(errors).toEqual([]);
    expect(run!.state).toBe('QUEUED');
    expect(app.billing.reservations.get(fromGlobalId('Run', run!.id)!)).toMatchObject({ status: 'OPEN' });
  });

  it('starts one run for 20 callers with one key at the same moment', async () => {
    const idempotencyKey = uuidv7();
    const payloads = await Promise.all(
      Array.from({ length: 20 }, () => app.start(facts, { idempotencyKey })),
    );
    expect(new Set(payloads.map(({ run }) => run?.id)).size).toBe(1);
    expect(payloads.flatMap(({ errors }) => errors)).toEqual([]);
    expect(await runsOf(facts.organizationId)).toBe(1);
    const held = [...app.billing.reservations.values()].filter(
      ({ organizationId }) => organizationId === facts.organizationId,
    );
    expect(held).toHaveLength(1);
  });

  it('calls the same key with another body a conflict', async () => {
    await app.start(facts, { idempotencyKey: 'k' });
    const { run, errors } = await app.start(facts, { idempotencyKey: 'k', input: 'other' });
    expect(run).toBeNull();
    expect(errors).toMatchObject([{ code: 'IDEMPOTENCY_CONFLICT', field: 'idempotencyKey' }]);
  });

  it('refuses with what is missing before anything is queued, and works with the same key after a top-up', async () => {
    app.billing.state.available = 4_000_000n;
    const refused = await app.start(facts, { idempotencyKey: 'k2' });
    expect(refused).toMatchObject({
      run: null,
      required: '10000000',
      available: '4000000',
      missing: '6000000',
    });
    expect(refused.errors).toEqual([
      {
        code: 'INSUFFICIENT_CREDITS',
        message: 'The run reserves 10 credits and 4 are available: 6 are missing.',
        field: null,
      },
    ]);
    expect(await runsOf(facts.organizationId)).toBe(0);
    app.billing.state.available = 10_000_000n;
    expect((await app.start(facts, { idempotencyKey: 'k2' })).errors).toEqual([]);
  });

  it('refuses a maximum below what is reserved, and says what that is', async () => {
    const refused = await app.start(facts, { idempotencyKey: 'low', maxCharge: '1' });
    expect(refused).toMatchObject({
      run: null,
      required: '10000000',
      available: null,
      missing: null,
      errors: [{ code: 'MAX_CHARGE_TOO_LOW', field: 'maxCharge' }],
    });
    expect(await runsOf(facts.organizationId)).toBe(0);
  });

  it.each([
    [{ state: 'PROVISIONING' }, 'INSTANCE_NOT_ACTIVE'],
    [{ state: 'TERMINATED' }, 'INSTANCE_NOT_ACTIVE'],
    [{ state: 'PAUSED' }, 'INSTANCE_PAUSED'],
    [{ paused: true }, 'INSTANCE_PAUSED'],
  ])('refuses an instance that is %o', async (more, code) => {
    const { errors } = await app.start(app.controlPlane.add(more));
    expect(errors).toMatchObject([{ code, field: 'instanceId' }]);
  });

  it('says of what does not exist and of what is another organization the same', async () => {
    const stranger = userCaller([{ organizationId: uuidv7(), role: 'OWNER' }]);
    const theirs = await app.start(facts, {}, stranger);
    const nothing = await app.start(facts, { instanceId: toGlobalId('Instance', uuidv7()) }, stranger);
    const malformed = await app.start(facts, { instanceId: 'nonsense' }, stranger);
    expect(theirs.errors).toMatchObject([{ code: 'INSTANCE_NOT_FOUND' }]);
    expect(nothing).toEqual(theirs);
    expect(malformed).toEqual(theirs);
  });

  it('needs run:start', async () => {
    const viewer = userCaller([{ organizationId: facts.organizationId, role: 'VIEWER' }]);
    await expect(app.start(facts, {}, viewer)).rejects.toThrow(/FORBIDDEN/);
    const key = apiKeyCaller(facts.organizationId, 'run:read');
    await expect(app.start(facts, {}, key)).rejects.toThrow(/FORBIDDEN/);
  });

  it('keeps to the limit of concurrent runs, also for callers at the same moment', async () => {
    const limited = app.controlPlane.add({ limits: { maxRunSeconds: 60, maxConcurrentRuns: 3 } });
    const payloads = await Promise.all(Array.from({ length: 10 }, () => app.start(limited)));
    expect(payloads.filter(({ run }) => run)).toHaveLength(3);
    expect(payloads.flatMap(({ errors }) => errors.map(({ code }) => code))).toEqual(
      Array<string>(7).fill('TOO_MANY_RUNS'),
    );
    const held = [...app.billing.reservations.values()].filter(
      ({ organizationId, status }) => organizationId === limited.organizationId && status === 'OPEN',
    );
    expect(held).toHaveLength(3);
  });

  it('goes on with a conversation of the instance, and with no other', async () => {
    const { run } = await app.start(facts);
    const answer = await app.graph(member(facts), '{ run(id: "' + run!.id + '") { conversation { id } } }');
    const conversationId = (answer.data!['run'] as unknown as { conversation: { id: string } }).conversation
      .id;
    expect((await app.start(facts, { conversationId })).errors).toEqual([]);
    for (const [instance, id] of [
      [app.controlPlane.add({ organizationId: facts.organizationId }), conversationId],
      [facts, toGlobalId('Conversation', uuidv7())],
      [facts, 'nonsense'],
    ] as const)
      expect((await app.start(instance, { conversationId: id })).errors).toMatchObject([
        { code: 'CONVERSATION_NOT_FOUND' },
      ]);
  });

  it.each([
    [{ input: '  ' }, 'input'],
    [{ input: 'x'.repeat(1_001) }, 'input'],
    [{ idempotencyKey: '' }, 'idempotencyKey'],
    [{ maxCharge: '0' }, 'maxCharge'],
  ])('refuses %o', async (more, field) => {
    expect((await app.start(facts, more)).errors).toMatchObject([{ code: 'INVALID_INPUT', field }]);
  });

  it('answers UNAVAILABLE while billing is down, and the retry starts the run', async () => {
    app.billing.state.down = true;
    await expect(app.start(facts, { idempotencyKey: 'k3' })).rejects.toThrow(/UNAVAILABLE/);
    app.billing.state.down = false;
    expect((await app.start(facts, { idempotencyKey: 'k3' })).errors).toEqual([]);
    expect(await runsOf(facts.organizationId)).toBe(1);
  });
});

it('an attempt that was overtaken takes no run from its key', async () => {
  const { run } = await app.start(facts, { idempotencyKey: 'taken' });
  const { organizationId } = facts;
  const runId = fromGlobalId('Run', run!.id)!;
  const slow = { organizationId, key: 'taken', bodyHash: 'x', runId, state: 'STARTING' } as const;
  await app.deps.db.transaction(systemScope('test'), async (tx) => {
    await setKeyState(tx, slow, 'ABANDONED');
    await dropAbandonedKey(tx, slow);
  });
  expect((await app.start(facts, { idempotencyKey: 'taken' })).run!.id).toBe(run!.id);
});

it('a retry after billing reserved and its answer was lost uses the same reservation', async () => {
  app.billing.state.loseAnswers = 2;
  await expect(app.start(facts, { idempotencyKey: 'lost' })).rejects.toThrow(/UNAVAILABLE/);
  const { run } = await app.start(facts, { idempotencyKey: 'lost' });
  const held = [...app.billing.reservations].filter(
    ([, { organizationId }]) => organizationId === facts.organizationId,
  );
  expect(held).toMatchObject([[fromGlobalId('Run', run!.id), { status: 'OPEN' }]]);
});

describe('a start that broke off between authorize and insert', () => {
  const breakOff = async (): Promise<string> => {
    const runId = uuidv7();
    const body = {
      organizationId: facts.organizationId,
      runId,
      instanceId: facts.instanceId,
      ttlSeconds: 60,
    };
    await app.deps.billing.call('POST', '/billing/authorize', body);
    await admin.query(
      `insert into run_key (organization_id, key, body_hash, run_id, touched_at) values ($1, 'broken', 'hash', $2, now() - interval '1 minute')`,
      [facts.organizationId, runId],
    );
    return runId;
  };
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  it('is taken back by the sweep: the reservation released, the key free', async () => {
    const runId = await breakOff();
    await until(
      async () => (await admin.query('select from run_key where run_id = $1', [runId])).rowCount === 0,
    );
    expect(app.billing.reservations.get(runId)).toMatchObject({ status: 'RELEASED' });
    expect((await app.start(facts, { idempotencyKey: 'broken' })).errors).toEqual([]);
  });
});
