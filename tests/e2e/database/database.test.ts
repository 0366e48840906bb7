import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres } from '../../../infra/dev/postgres/postgres.ts';
import { assertInvariants } from '../../invariants/assert-invariants.ts';
import type { Answer } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
beforeAll(async () => {
  store = await openStore({ ownPostgres: true });
  buyer = await store.signUp();
});
afterAll(() => store.close());

const ask = async (query: string): Promise<Answer> => {
  const answer = await fetch(store.graphqlUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${buyer.token}` },
    body: JSON.stringify({ query }),
  });
  return (await answer.json()) as Answer;
};

it('PostgreSQL restarts: what is asked meanwhile is refused with a code, and what was answered before comes true', async () => {
  const home = await buyer.withActiveInstance();
  const { run } = await buyer.run(home.instanceId, 'scripted-slow?tokens=40&delay=50 Tell me about parcels.');
  const order = await buyer.buy([store.seed.pack1000VariantId], { organizationId: home.organizationId });
  const { postgres } = store.stack.doubles;
  const { port } = new URL(postgres!.adminUrl);
  await postgres!.stop();

  const { errors } = await ask(`{ run(id: "${run.id}") { state } }`);
  expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAVAILABLE']);

  const again = await startPostgres({ dataDir: postgres!.dataDir, port: Number(port) });
  store.later(() => again.stop());
  const ended = await buyer.waitFor(
    'query ($id: ID!) { run(id: $id) { state error { retryable } } }',
    { id: run.id },
    (data) => (['SUCCEEDED', 'FAILED'].includes(data.run.state) ? data.run : undefined),
  );
  expect(ended.state === 'SUCCEEDED' || ended.error?.retryable).toBe(true);
  await buyer.waitFor(
    'query ($id: ID!) { order(id: $id) { topUps { amount } } }',
    { id: order.id },
    (data) => data.order?.topUps[0],
  );
  const next = await buyer.run(home.instanceId, 'Are you there?');
  const events = await buyer.runEvents('subscription ($id: ID!) { runEvents(runId: $id) { __typename } }', {
    id: next.run.id,
  });
  expect(events.at(-1)!.__typename).toBe('RunFinished');
  expect((await buyer.wallet(home.organizationId)).reserved).toBe('0');
  await assertInvariants(store.adminUrl);
});
