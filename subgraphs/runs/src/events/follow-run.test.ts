import fc from 'fast-check';
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anonymous } from '@agentstore/kernel/caller';
import { userCaller } from '@agentstore/kernel/testing/callers';
import { fromGlobalId, toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { createApp } from '../app.ts';
import { member, startRunsApp, type RunsApp, type SeenEvent } from '../testing/runs-app.ts';
import type { InstanceFacts } from '../runs/run.ts';

let app: RunsApp;
let admin: pg.Client;
let facts: InstanceFacts;
beforeAll(async () => {
  app = await startRunsApp({ subscriberQueue: { events: 16, bytes: 4_096 } });
  admin = new pg.Client({ connectionString: app.adminUrl, options: '-c search_path=runs' });
  await admin.connect();
  return () => admin.end();
});
beforeEach(() => {
  facts = app.controlPlane.add();
});

/** A run that the test owns as its runner. */
async function ownedRun() {
  const { run } = await app.start(facts);
  const runId = fromGlobalId('Run', run!.id)!;
  const body = { runnerId: 'r', ownerUrl: 'http://r.test', limit: 100, leaseMs: 60_000, waitMs: 0 };
  await app.service.call('POST', '/internal/runs:claim', body);
  let seq = 0;
  const next = (kind: string, payload: object) => ({
    seq: ++seq,
    kind,
    at: new Date().toISOString(),
    payload,
  });
  return {
    id: run!.id,
    runId,
    append: (count: number, text = 'w') =>
      app.service.call('POST', `/internal/runs/${runId}/events`, {
        fence: 1,
        events: Array.from({ length: count }, () =>
          next('TextMessageContent', { messageId: 'm', delta: `${text}${seq}` }),
        ),
      }),
    finish: (output = 'done') => app.finish({ runId, fence: 1 }, { output }),
  };
}
type OwnedRun = Awaited<ReturnType<typeof ownedRun>>;

const collect = async (run: OwnedRun, after = 0): Promise<SeenEvent[]> => {
  const seen: SeenEvent[] = [];
  for await (const event of app.events(member(facts), run.id, after)) seen.push(event);
  return seen;
};
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, index) => from + index);
const seqs = (events: readonly SeenEvent[]): number[] => events.map(({ seq }) => seq);

describe('runEvents', () => {
  it('replays, follows until the terminal event, then completes', async () => {
    const run = await ownedRun();
    await app.service.call('POST', `/internal/runs/${run.runId}/heartbeat`, { fence: 1, leaseMs: 60_000 });
    await run.append(3);
    const watching = collect(run);
    await run.append(2);
    await run.append(1);
    await run.finish();
    const seen = await watching;
    expect(seqs(seen)).toEqual(upTo(7));
    expect(seen[0]).toMatchObject({ __typename: 'TextMessageContent', runId: run.id, messageId: 'm' });
    expect(seen.at(-1)).toMatchObject({ __typename: 'RunFinished', output: 'done', charge: '3' });
  });

  it('gives every event exactly once to subscribers that disconnect at any moment and reopen with the last seq', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 15 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
        async (appends, patience) => {
          facts = app.controlPlane.add();
          const run = await ownedRun();
          const subscriber = async (offset: number): Promise<number[]> => {
            const seen: number[] = [];
            for (let visit = offset; ; visit++) {
              const leave = new AbortController();
              let left = patience[visit % patience.length]!;
              for await (const event of app.events(member(facts), run.id, seen.at(-1) ?? 0, leave.signal)) {
                seen.push(event.seq);
                if (event.__typename === 'RunFinished') return seen;
                if (--left === 0) break;
              }
              leave.abort();
            }
          };
          const watching = [subscriber(0), subscriber(1), subscriber(2)];
          for (const count of appends) await run.append(count);
          await run.finish();
          const total = appends.reduce((sum, count) => sum + count, 1);
          for (const seen of await Promise.all(watching)) expect(seen).toEqual(upTo(total));
        },
      ),
      { numRuns: 15, seed: Number(process.env['SEED'] ?? Date.now() % 1_000_000) },
    );
  }, 60_000);

  it('puts a subscriber that is too slow for its queue back to the log, and loses nothing', async () => {
    const run = await ownedRun();
    const slow = app.events(member(facts), run.id, 0);
    const seen = [(async () => (await slow.next()).value as SeenEvent)()];
    await run.append(1);
    await seen[0];
    // Far more than the queue holds, while nobody reads.
    for (let i = 0; i < 12; i++) await run.append(50, 'x'.repeat(100));
    await run.finish();
    const rest: SeenEvent[] = [];
    for await (const event of slow) rest.push(event);
    expect(seqs(rest)).toEqual(upTo(601, 2));
  });

  it('ends at once for a client that asks from the end, or from beyond it', async () => {
    const run = await ownedRun();
    await run.append(4);
    const beyond = collect(run, 99);
    await run.finish();
    expect(await beyond).toEqual([]);
    expect(await collect(run, 5)).toEqual([]);
    expect(seqs(await collect(run, 4))).toEqual([5]);
  });

  it('says what is no longer kept with one gap, and still tells the end from the run itself', async () => {
    const run = await ownedRun();
    await run.append(9);
    await run.finish('the answer');
    await admin.query('delete from run_event where run_id = $1 and seq <= 5', [run.runId]);
    const partly = await collect(run, 2);
    expect(partly[0]).toMatchObject({
      __typename: 'RunEventsGap',
      seq: 5,
      fromSeq: 3,
      toSeq: 5,
      reason: 'EXPIRED',
    });
    expect(seqs(partly)).toEqual([5, 6, 7, 8, 9, 10]);
    await dropPartitionOf(run);
    expect(await collect(run)).toMatchObject([
      { __typename: 'RunEventsGap', seq: 9, fromSeq: 1, toSeq: 9 },
      { __typename: 'RunFinished', seq: 10, output: 'the answer', charge: '3' },
    ]);
    expect(await collect(run, 9)).toMatchObject([{ __typename: 'RunFinished', seq: 10 }]);
  });

  it('has the same gap and the same end where the log is read page by page', async () => {
    const run = await ownedRun();
    await run.append(9);
    await run.finish('the answer');
    const page = async (after: number, first = 500): Promise<unknown> => {
      const query = `{ run(id: "${run.id}") { events(after: ${after}, first: ${first}) {
        __typename seq ... on RunEventsGap { fromSeq toSeq } ... on RunFinished { output charge } } } }`;
      return (await app.graph(member(facts), query)).data!['run'];
    };
    const end = { __typename: 'RunFinished', seq: 10, output: 'the answer', charge: '3' };
    expect(await page(9)).toEqual({ events: [end] });
    await dropPartitionOf(run);
    const missing = { __typename: 'RunEventsGap', seq: 9, fromSeq: 1, toSeq: 9 };
    expect(await page(0)).toEqual({ events: [missing, end] });
    expect(await page(0, 1)).toEqual({ events: [missing] });
    expect(await page(9, 1)).toEqual({ events: [end] });
    expect(await page(10)).toEqual({ events: [] });
  });

  it('goes on after its LISTEN connection was lost', async () => {
    const run = await ownedRun();
    const watching = collect(run);
    await run.append(2);
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'`,
    );
    await run.append(2);
    await run.finish();
    expect(seqs(await watching)).toEqual(upTo(5));
  });

  it('goes on when no doorbell is heard', async () => {
    await admin.query(
      'create or replace function ring(run_id uuid) returns void language sql as $$ select null::void $$',
    );
    try {
      const run = await ownedRun();
      const watching = collect(run);
      await run.append(2);
      await run.finish();
      expect(seqs(await watching)).toEqual(upTo(3));
    } finally {
      await admin.query(`create or replace function ring(run_id uuid) returns void language sql as
        $$ select pg_notify('runs_events_' || right(run_id::text, 1), run_id::text) $$`);
    }
  });

  it('is NOT_FOUND for another organization, and needs a caller who may read runs', async () => {
    const run = await ownedRun();
    const first = (caller: Parameters<RunsApp['events']>[0], id = run.id) => app.events(caller, id, 0).next();
    const stranger = userCaller([{ organizationId: uuidv7(), role: 'OWNER' }]);
    await expect(first(stranger)).rejects.toThrow(/NOT_FOUND/);
    await expect(first(member(facts), toGlobalId('Run', uuidv7()))).rejects.toThrow(/NOT_FOUND/);
    await expect(first(anonymous)).rejects.toThrow(/UNAUTHENTICATED/);
    const answer = await app.graph(stranger, `{ run(id: "${run.id}") { id } }`);
    expect(answer.data).toEqual({ run: null });
  });

  it('lets go of a subscriber that goes away while nothing happens', async () => {
    const run = await ownedRun();
    await run.append(1);
    const leave = new AbortController();
    const events = app.events(member(facts), run.id, 0, leave.signal);
    await events.next();
    const pending = events.next();
    leave.abort();
    expect((await pending).done).toBe(true);
    await run.finish();
  });
});

it('a process that stops tells its followers that the run goes on without it', async () => {
  const run = await ownedRun();
  await run.append(2);
  const leaving = createApp(app.deps);
  await leaving.start();
  const seen: number[] = [];
  const cut = (async () => {
    for await (const event of app.events(member(facts), run.id, 0, undefined, leaving)) seen.push(event.seq);
    return 'a clean end';
  })().catch(String);
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await leaving.stop();
  expect(await cut).toContain('GOING_AWAY');
  await run.finish();
  expect(seqs(await collect(run, seen.at(-1)))).toEqual([3]);
});

describe('row-level security', () => {
  it("gives no scope but the organization's own any row", async () => {
    const run = await ownedRun();
    await run.append(1);
    for (const table of ['run', 'run_event', 'run_key', 'conversation']) {
      const count = (scope: string) =>
        app.deps.db.pool.connect().then(async (client) => {
          try {
            await client.query(`begin; select set_config('agentstore.scope', '${scope}', true)`);
            const { rows } = await client.query<{ n: number }>(
              `select count(*)::int as n from ${table} where organization_id = $1`,
              [facts.organizationId],
            );
            await client.query('rollback');
            return rows[0]!.n;
          } finally {
            client.release();
          }
        });
      expect([table, await count(facts.organizationId)]).toEqual([table, 1]);
      expect([table, await count(uuidv7())]).toEqual([table, 0]);
      expect([table, await count('')]).toEqual([table, 0]);
    }
  });
});

it('partitions that are asked directly are guarded, too, those that are made later among them', async () => {
  await admin.query(`select ensure_partition('2001-01-01')`);
  const { rows } = await admin.query<{ name: string; guarded: boolean }>(
    `select relname as name, relrowsecurity as guarded from pg_inherits join pg_class on oid = inhrelid where inhparent = 'run_event'::regclass`,
  );
  expect(rows.map(({ name }) => name)).toContain('run_event_2001_01_01');
  expect(rows.filter(({ guarded }) => !guarded)).toEqual([]);
});

/** As the retention does it: the whole day goes. Other days stay, and a new one is made on demand. */
async function dropPartitionOf(run: OwnedRun): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    'select tableoid::regclass::text as name from run_event where run_id = $1 limit 1',
    [run.runId],
  );
  await admin.query(`drop table ${rows[0]!.name}`);
}
