import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertInvariants } from '../../invariants/assert-invariants.ts';
import type { Data } from '../../setup/graph-data.ts';
import { openStore, type Person, type Store } from '../support/store.ts';

let store: Store;
let buyer: Person;
let organizationId: string;
beforeAll(async () => {
  store = await openStore();
  buyer = await store.signUp();
  const { workspaceAuto } = await buyer.query(
    'mutation { workspaceAuto(input: {}) { organization { id } } }',
  );
  organizationId = workspaceAuto.organization.id;
});
afterAll(async () => {
  await assertInvariants(store.adminUrl);
  await store.close();
});

const outcome = 'query ($id: ID!) { order(id: $id) { instances { id state } topUps { amount } } }';
const rows = async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) => {
  const client = new pg.Client({ connectionString: store.adminUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
};

describe('an order of the shop', () => {
  it('is granted once, however often it is delivered at once', async () => {
    const order = await buyer.buy([store.seed.proVariantId, store.seed.pack1000VariantId], {
      organizationId,
    });
    await buyer.waitFor(outcome, { id: order.id }, ({ order: seen }) =>
      seen.topUps.length === 2 ? seen : undefined,
    );
    const [{ api }] = (await rows<{ api: string }>(
      'select saleor_api_url as api from provisioner.order_state where saleor_order_id = $1',
      [order.id],
    )) as [{ api: string }];
    const app = store.stack.mounted.clientOf('control-plane', 'provisioner');
    const lines = await rows<{ line: string }>(
      'select saleor_line_id as line from control_plane.order_line_grant where saleor_order_id = $1',
      [order.id],
    );
    const snapshot = {
      saleorApiUrl: api,
      order: {
        id: order.id,
        number: order.number,
        channelSlug: 'default-channel',
        userId: null,
        userEmail: buyer.email,
        metadata: {},
        lines: lines.map(({ line }, index) => ({
          id: line,
          quantity: 1,
          variantId: index ? store.seed.pack1000VariantId : store.seed.proVariantId,
          sku: null,
          metadata: {},
        })),
      },
    };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        app.call<{ lines: unknown }>('POST', '/integrations/saleor/order-paid', snapshot),
      ),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer.lines))).size).toBe(1);
    const { order: seen } = await buyer.query(outcome, { id: order.id });
    expect(seen.instances).toHaveLength(1);
    expect(seen.topUps.map((entry) => entry.amount).sort()).toEqual(['1000000000', '500000000']);
  });

  it('goes to the organization it names only if its buyer may buy for it', async () => {
    const stranger = await store.signUp();
    const order = await stranger.buy([store.seed.pack1000VariantId], { organizationId });
    await stranger.waitFor(outcome, { id: order.id }, ({ order: seen }) =>
      seen.topUps.length ? seen : undefined,
    );
    const { viewer } = await stranger.query(
      '{ viewer { memberships { organization { id wallet { balance } } } } }',
    );
    expect(viewer.memberships).toHaveLength(1);
    expect(viewer.memberships[0]!.organization.id).not.toBe(organizationId);
    expect(BigInt(viewer.memberships[0]!.organization.wallet.balance)).toBeGreaterThanOrEqual(1_000_000_000n);
  });

  it('parks a line that nothing is bound to, with a reason that operators see and buyers do not', async () => {
    const variant = store.stack.shop.variants.pack5000.id;
    await rows('delete from control_plane.credit_pack where saleor_variant_id = $1', [variant]);
    const order = await buyer.buy([variant], { organizationId });
    for (
      const until = Date.now() + 10_000;
      Date.now() < until;
      await new Promise((resolve) => setTimeout(resolve, 50))
    )
      if (
        (
          await rows('select from provisioner.order_state where saleor_order_id = $1 and state = $2', [
            order.id,
            'PARKED',
          ])
        ).length
      )
        break;
    const operator = await operatorClient();
    const { parkedOrderLines } = await operator.query<Data>('{ parkedOrderLines { orderNumber reason } }');
    expect(parkedOrderLines).toContainEqual({
      orderNumber: order.number,
      reason: expect.stringContaining('UNKNOWN_VARIANT'),
    });
    await expect(buyer.query('{ parkedOrderLines { reason } }')).rejects.toMatchObject({
      codes: ['FORBIDDEN'],
    });
  });

  it('takes back what a refunded order gave, and grants nothing to a late event of it', async () => {
    const before = BigInt((await buyer.wallet(organizationId)).balance);
    const order = await buyer.buy([store.seed.proVariantId, store.seed.pack1000VariantId], {
      organizationId,
    });
    const [instance] = await buyer.waitFor(outcome, { id: order.id }, ({ order: seen }) =>
      seen.topUps.length === 2 && seen.instances[0]?.state === 'ACTIVE' ? seen.instances : undefined,
    );
    await store.refund(order.payment);
    await buyer.waitFor(
      'query ($id: ID!) { instance(id: $id) { state } }',
      { id: instance!.id },
      ({ instance: now }) => (now.state === 'TERMINATED' ? now : undefined),
    );
    await buyer.waitFor(
      'query ($id: ID!) { wallet(organizationId: $id) { balance } }',
      { id: organizationId },
      ({ wallet }) => (BigInt(wallet.balance) === before ? wallet : undefined),
    );
    // The shop tells of the payment once more: the order is read back, and it is refunded.
    await rows(
      "update provisioner.order_state set state = 'DUE', next_attempt_at = now() where saleor_order_id = $1",
      [order.id],
    );
    for (
      const until = Date.now() + 10_000;
      Date.now() < until;
      await new Promise((resolve) => setTimeout(resolve, 50))
    )
      if (
        (
          await rows('select from provisioner.order_state where saleor_order_id = $1 and state = $2', [
            order.id,
            'REVOKED',
          ])
        ).length
      )
        break;
    expect(BigInt((await buyer.wallet(organizationId)).balance)).toBe(before);
  });
});

describe('a webhook', () => {
  const send = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${store.stack.provisionerOrigin}/webhooks/saleor/order-paid`, {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'saleor-event': 'order_fully_paid',
        'saleor-api-url': store.stack.doubles.shop.url,
        'saleor-domain': 'x',
        ...headers,
      },
    });
  const body = JSON.stringify({ recipient: { id: 'QXBwOjE=' }, order: { id: 'T3JkZXI6eA==', number: '1' } });

  it.each<[string, () => Promise<Response>, number]>([
    ['without a signature', () => send(body), 400],
    [
      "with a signature that is not the shop's",
      () =>
        send(body, { 'saleor-signature': 'eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..AAAA' }),
      401,
    ],
    [
      'from a shop that is not ours',
      () => send(body, { 'saleor-api-url': 'http://evil.test/graphql/', 'saleor-signature': 'x..y' }),
      403,
    ],
  ])('%s is refused for good', async (_name, deliver, status) =>
    expect((await deliver()).status).toBe(status),
  );
});

async function operatorClient() {
  const { identity } = store.stack.doubles;
  const operator = identity.users.find(({ roles }) => roles.includes('operator'))!;
  const { signIn } = await import('../../../infra/dev/identity/sign-in.ts');
  const { accessToken } = await signIn({
    issuer: identity.issuer,
    clientId: identity.clientId,
    audience: identity.audience,
    email: operator.email,
    password: operator.password,
  });
  return store.as(accessToken);
}
