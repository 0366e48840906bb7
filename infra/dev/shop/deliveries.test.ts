import { afterEach, describe, expect, it } from 'vitest';
import { installApp } from './seed-app.ts';
import { judgeAnswer, saleorRetrySchedule } from './deliver-webhooks.task.ts';
import { buy } from './testing/buying.ts';
import { useReceiver } from './testing/receiver.ts';
import { useShop } from './testing/shop.ts';

const receiver = useReceiver();
const under = useShop({ deliveryTimeoutMs: 3_000 });
afterEach(() => {
  receiver.answer = () => 200;
});

interface Delivery {
  status: string;
  payload: string;
  attempts: { edges: { node: { responseStatusCode: number | null } }[] };
}

/** An app of its own per test, so that each sees its own requests. */
async function app(path: string): Promise<string> {
  receiver.manifest = {
    id: `app${path}`,
    version: '1',
    name: path,
    tokenTargetUrl: `${receiver.origin}/register`,
    permissions: ['MANAGE_ORDERS'],
    webhooks: [
      {
        name: 'paid',
        targetUrl: receiver.origin + path,
        query: 'subscription { event { ... on OrderFullyPaid { order { id } } } }',
      },
    ],
  };
  return installApp(under.shop, `${receiver.origin}/manifest${path}`);
}

async function deliveries(appId: string): Promise<Delivery[]> {
  const found = await under.ask<{
    app: { webhooks: { eventDeliveries: { edges: { node: Delivery }[] } }[] };
  }>(
    'query($id: ID!) { app(id: $id) { webhooks { eventDeliveries(first: 10) { edges { node { status payload attempts(first: 10) { edges { node { responseStatusCode } } } } } } } } }',
    { id: appId },
  );
  return found.app.webhooks[0]!.eventDeliveries.edges.map(({ node }) => node);
}

async function until<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (good(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('waits 10, 20, 40, 80 and 160 seconds between attempts unless told otherwise', () => {
  expect(saleorRetrySchedule).toEqual([10, 20, 40, 80, 160]);
});

it.each([
  [200, 'delivered'],
  [204, 'delivered'],
  [302, 'failed'],
  [401, 'failed'],
  [404, 'failed'],
  [429, 'failed'],
  [500, 'retry'],
  [503, 'retry'],
  [null, 'retry'],
] as const)('an answer of %s is %s', (status, verdict) => expect(judgeAnswer(status)).toBe(verdict));

describe('attempts by what the receiver answers', () => {
  it('six with the same body while it answers 500, then FAILED', async () => {
    receiver.answer = (one) => (one.path === '/always-500' ? 500 : 200);
    const id = await app('/always-500');
    await buy(under, { pay: '29' });
    const all = await receiver.wait('/always-500', 6);
    expect(new Set(all.map((one) => one.body.toString())).size).toBe(1);
    const [failed] = await until(
      () => deliveries(id),
      ([one]) => one?.status === 'FAILED',
    );
    expect(failed!.attempts.edges.map(({ node }) => node.responseStatusCode)).toEqual([
      500, 500, 500, 500, 500, 500,
    ]);
    expect(receiver.received.filter((one) => one.path === '/always-500')).toHaveLength(6);
  });

  it.each([401, 302, 429])('one for %s, not followed, FAILED', async (status) => {
    receiver.answer = (one) => (one.path === `/s${status}` ? status : 200);
    const id = await app(`/s${status}`);
    await buy(under, { pay: '29' });
    const [failed] = await until(
      () => deliveries(id),
      ([one]) => one?.status === 'FAILED',
    );
    expect(failed!.attempts.edges).toHaveLength(1);
    expect(receiver.received.filter((one) => one.path === `/s${status}`)).toHaveLength(1);
    expect(receiver.received.some((one) => one.path === '/elsewhere')).toBe(false);
  });

  it('the same body twice when a 200 comes too late', async () => {
    const late = Promise.withResolvers<number>();
    let calls = 0;
    receiver.answer = (one) => (one.path === '/slow' && (calls += 1) === 1 ? late.promise : 200);
    const id = await app('/slow');
    await buy(under, { pay: '29' });
    const [first, second] = await receiver.wait('/slow', 2);
    late.resolve(200);
    expect(second!.body.equals(first!.body)).toBe(true);
    await until(
      () => deliveries(id),
      (all) => all.length === 0,
    );
  });

  it('none for an app that is inactive', async () => {
    const id = await app('/inactive');
    await under.ask('mutation($id: ID!) { appDeactivate(id: $id) { errors { message } } }', { id });
    await buy(under, { pay: '29' });
    expect(await deliveries(id)).toEqual([]);
  });
});

it('lets staff send a failed delivery again', async () => {
  let status = 404;
  receiver.answer = (one) => (one.path === '/again' ? status : 200);
  const id = await app('/again');
  await buy(under, { pay: '29' });
  await until(
    () => deliveries(id),
    ([one]) => one?.status === 'FAILED',
  );
  const { app: found } = await under.ask<{
    app: { webhooks: { eventDeliveries: { edges: { node: { id: string } }[] } }[] };
  }>(
    'query($id: ID!) { app(id: $id) { webhooks { eventDeliveries(first: 1) { edges { node { id } } } } } }',
    { id },
  );
  status = 200;
  await under.ask('mutation($id: ID!) { eventDeliveryRetry(id: $id) { errors { message } } }', {
    id: found.webhooks[0]!.eventDeliveries.edges[0]!.node.id,
  });
  const [first, second] = await receiver.wait('/again', 2);
  expect(second!.body.equals(first!.body)).toBe(true);
  await until(
    () => deliveries(id),
    (all) => all.length === 0,
  );
});

it('sends again what was delivered while the database could not note it', async () => {
  // A sequence forgets nothing on rollback: the first delete fails, the next one holds.
  await under.admin(`set search_path to dev_shop;
    create sequence refusal; grant usage on refusal to public;
    create function refuse_once() returns trigger language plpgsql as $$ begin
      if exists (select from dev_shop.document where kind = 'Webhook' and pk = old.webhook and data ->> 'targetUrl' like '%/unnoted')
        and nextval('dev_shop.refusal') = 1 then raise exception 'the disk is full'; end if;
      return old; end $$;
    create trigger refuse_once before delete on delivery for each row execute function refuse_once()`);
  const id = await app('/unnoted');
  await buy(under, { pay: '29' });
  const [first, second] = await receiver.wait('/unnoted', 2);
  expect(second!.body.equals(first!.body)).toBe(true);
  await until(
    () => deliveries(id),
    (all) => all.length === 0,
  );
});
