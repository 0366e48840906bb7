import { afterAll, beforeAll, expect, it } from 'vitest';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { startPostgres, type Postgres } from '../../../infra/dev/postgres/postgres.ts';
import type { Answer } from '../../setup/graph-data.ts';
import { persistently, until } from '../../setup/persistently.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
let postgres: Postgres;
beforeAll(async () => {
  store = await openStore({ ownPostgres: true, shopRetryScheduleSeconds: [1, 1, 2, 4, 8] });
  postgres = store.stack.doubles.postgres!;
  store.later(() => postgres.stop());
  buyer = await store.signUp();
});
afterAll(() => store.close());

const ask = async (query: string, variables: object): Promise<Answer> => {
  const answer = await fetch(store.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${buyer.token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await answer.json()) as Answer;
};
const codesOf = ({ errors }: Answer): string[] => errors.map(({ extensions }) => extensions.code);

it.each([
  ['is shut down', 'fast'],
  ['is quit at once', 'immediate'],
] as const)(
  'PostgreSQL %s and starts again: what is asked meanwhile is refused with a code, and what was answered before comes true once',
  async (name, how) => {
    const home = await buyer.withActiveInstance();
    const streaming = await buyer.run(
      home.instanceId,
      'scripted-slow?tokens=40&delay=50 Tell me about parcels.',
    );
    const order = await buyer.buy([store.seed.pack1000VariantId], { organizationId: home.organizationId });
    const { port } = new URL(postgres.adminUrl);
    await postgres.stop(how);

    const state = 'query ($id: ID!) { run(id: $id) { state error { retryable } } }';
    expect(codesOf(await ask(state, { id: streaming.run.id }))).toEqual(['UNAVAILABLE']);
    const start = {
      input: { instanceId: home.instanceId, input: 'Are you there?', idempotencyKey: `while it ${name}` },
    };
    const runStart =
      'mutation ($input: RunStartInput!) { runStart(input: $input) { run { id } errors { code } } }';
    expect(codesOf(await ask(runStart, start))).toEqual(['UNAVAILABLE']);

    postgres = await startPostgres({ dataDir: postgres.dataDir, port: Number(port) });
    const answers = await Promise.all(
      Array.from({ length: 3 }, () =>
        persistently('the same start again', () => buyer.query(runStart, start)),
      ),
    );
    expect(answers.flatMap((answer) => answer.runStart.errors)).toEqual([]);
    const [id, ...others] = new Set(answers.map((answer) => answer.runStart.run.id));
    expect(others).toEqual([]);

    const ended = (runId: string) =>
      until('the run ends', async () => {
        const { run } = await buyer.query(state, { id: runId });
        return ['SUCCEEDED', 'FAILED'].includes(run.state) ? run : undefined;
      });
    const former = await ended(streaming.run.id);
    expect(former.state === 'SUCCEEDED' || former.error?.retryable).toBe(true);
    expect((await ended(id!)).state).toBe('SUCCEEDED');
    await until('the order is topped up', async () => {
      const { order: seen } = await buyer.query('query ($id: ID!) { order(id: $id) { topUps { amount } } }', {
        id: order.id,
      });
      return seen?.topUps[0];
    });

    expect(
      await store.sql(
        `select (select count(*)::int from billing.ledger_entry where saleor_order_id = $1) as "topUps",
          (select count(*)::int from runs.run where instance_id = $2) as runs,
          (select count(*)::int from billing.reservation where instance_id = $2) as reservations,
          (select count(*)::int from billing.reservation where instance_id = $2 and status = 'OPEN') as open,
          (select count(*)::int from billing.ledger_entry where run_id = $3 and kind = 'SETTLEMENT') as settlements`,
        [order.id, fromGlobalId('Instance', home.instanceId), fromGlobalId('Run', id!)],
      ),
    ).toEqual([{ topUps: 1, runs: 2, reservations: 2, open: 0, settlements: 1 }]);
  },
  150_000,
);
