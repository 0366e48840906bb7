import { expect, it } from 'vitest';
import { address, buy, charge, checkout, complete, report } from './testing/buying.ts';
import { customer } from './testing/recorded-shop.ts';
import { useShop } from './testing/shop.ts';
import { payFor, refundPayment } from './pay-for.ts';

const under = useShop();

interface Standing {
  order: {
    status: string;
    chargeStatus: string;
    isPaid: boolean;
    totalCharged: { amount: number };
    totalRefunded: { amount: number };
    updatedAt: string;
  };
}
const standing = async (id: string) =>
  (
    await under.ask<Standing>(
      'query($id: ID!) { order(id: $id) { status chargeStatus isPaid totalCharged { amount } totalRefunded { amount } updatedAt } }',
      { id },
    )
  ).order;

it('shows net totals after refunds: PARTIAL, then NONE, the status untouched, updatedAt moved each time', async () => {
  const order = await buy(under, { pay: '29' });
  const paid = await standing(order.id);
  expect(paid).toMatchObject({
    status: 'UNFULFILLED',
    chargeStatus: 'FULL',
    isPaid: true,
    totalCharged: { amount: 29 },
  });
  await report(under, { id: order.transaction!, type: 'REFUND_SUCCESS', amount: '9', pspReference: 'a' });
  const partial = await standing(order.id);
  expect(partial).toMatchObject({
    status: 'UNFULFILLED',
    chargeStatus: 'PARTIAL',
    isPaid: false,
    totalCharged: { amount: 20 },
    totalRefunded: { amount: 9 },
  });
  await report(under, { id: order.transaction!, type: 'REFUND_SUCCESS', amount: '20', pspReference: 'b' });
  const none = await standing(order.id);
  expect(none).toMatchObject({
    status: 'UNFULFILLED',
    chargeStatus: 'NONE',
    totalCharged: { amount: 0 },
    totalRefunded: { amount: 29 },
  });
  expect([paid.updatedAt, partial.updatedAt, none.updatedAt]).toEqual(
    [paid.updatedAt, partial.updatedAt, none.updatedAt].sort(),
  );
  expect(new Set([paid.updatedAt, partial.updatedAt, none.updatedAt]).size).toBe(3);
});

it('measures the charge against what is left after granted refunds: OVERCHARGED, then FULL of nothing; isPaid looks at the total', async () => {
  const order = await buy(under, { pay: '29' });
  const grant = (input: object) =>
    under.ask(
      'mutation($id: ID!, $input: OrderGrantRefundCreateInput!) { orderGrantRefundCreate(id: $id, input: $input) { grantedRefund { amount { amount } } errors { field message code } } }',
      { id: order.id, input: { transactionId: order.transaction, ...input } },
    );
  const reasonReference = Buffer.from('Page:1').toString('base64');
  await expect(grant({ amount: '29' })).rejects.toThrow(/reference/);
  await expect(grant({ amount: '30', reasonReference })).rejects.toThrow(/greater/);
  await grant({ amount: '29', reasonReference });
  expect(await standing(order.id)).toMatchObject({
    chargeStatus: 'OVERCHARGED',
    isPaid: true,
    totalCharged: { amount: 29 },
    totalRefunded: { amount: 0 },
  });
  await report(under, { id: order.transaction!, type: 'REFUND_SUCCESS', amount: '29', pspReference: 'g' });
  expect(await standing(order.id)).toMatchObject({
    chargeStatus: 'FULL',
    isPaid: false,
    totalCharged: { amount: 0 },
    totalRefunded: { amount: 29 },
  });
});

it('takes the same report once, and keeps a contradicting one as a failure', async () => {
  const order = await buy(under, { pay: '29' });
  const refund = { id: order.transaction!, type: 'REFUND_SUCCESS', amount: '9', pspReference: 'same' };
  await report(under, refund);
  const again = await report(under, refund);
  expect(again.body.data).toMatchObject({
    transactionEventReport: {
      alreadyProcessed: true,
      transaction: { refundedAmount: { amount: 9 } },
      errors: [],
    },
  });
  const other = await report(under, { ...refund, amount: '8' });
  expect(other.body.data).toMatchObject({
    transactionEventReport: {
      transactionEvent: { type: 'REFUND_FAILURE' },
      transaction: { refundedAmount: { amount: 9 } },
      errors: [{ code: 'INCORRECT_DETAILS' }],
    },
  });
});

it('charges by hand what transactionUpdate states: a refund alone leaves the charge as it was', async () => {
  const order = await buy(under, { pay: '29' });
  await under.ask(
    'mutation($id: ID!, $t: TransactionUpdateInput!) { transactionUpdate(id: $id, transaction: $t) { errors { message } } }',
    {
      id: order.transaction,
      t: { amountRefunded: { amount: '29', currency: 'USD' } },
    },
  );
  expect(await standing(order.id)).toMatchObject({
    chargeStatus: 'FULL',
    totalCharged: { amount: 29 },
    totalRefunded: { amount: 29 },
  });
});

it('plays the payment provider for a checkout and an order, and refunds', async () => {
  const id = await checkout(under, {
    lines: [{ variantId: under.seeded.variants.pack5000.id, quantity: 2 }],
  });
  const payment = await payFor(under.shop, { id, pspReference: 'pay-1' });
  expect(payment).toMatchObject({ amount: '90.00', currency: 'USD' });
  const order = await complete(under, id, '');
  expect(order).toMatchObject({ status: 'UNFULFILLED', chargeStatus: 'FULL' });
  await refundPayment(under.shop, {
    transactionId: payment.transactionId,
    amount: '45.00',
    pspReference: 'back-1',
  });
  expect(await standing(order.id)).toMatchObject({ chargeStatus: 'PARTIAL', totalRefunded: { amount: 45 } });
  const unpaid = await buy(under);
  await payFor(under.shop, { id: unpaid.id, pspReference: 'pay-2' });
  expect(await standing(unpaid.id)).toMatchObject({ status: 'UNFULFILLED', chargeStatus: 'FULL' });
  await expect(payFor(under.shop, { id: unpaid.id, pspReference: 'pay-2' })).rejects.toThrow(
    'already exists',
  );
});

it('completes a checkout once, however many ask at the same time', async () => {
  const id = await checkout(under);
  const answers = await Promise.all(Array.from({ length: 6 }, () => complete(under, id, '')));
  expect(new Set(answers.map((order) => order.id)).size).toBe(1);
});

it('confirms an unpaid order when a transaction pays it, not when it is marked as paid', async () => {
  const unpaid = await buy(under);
  expect(unpaid).toMatchObject({ status: 'UNCONFIRMED', chargeStatus: 'NONE' });
  await charge(under, unpaid.id, '29');
  expect(await standing(unpaid.id)).toMatchObject({ status: 'UNFULFILLED', chargeStatus: 'FULL' });
  const byHand = await buy(under);
  const markAsPaid = 'mutation($id: ID!) { orderMarkAsPaid(id: $id) { errors { message code } } }';
  await under.ask(markAsPaid, { id: byHand.id });
  expect(await standing(byHand.id)).toMatchObject({ status: 'UNCONFIRMED', chargeStatus: 'FULL' });
  await expect(under.ask(markAsPaid, { id: byHand.id })).rejects.toThrow(
    'Orders with transactions can not be manually marked as paid.',
  );
});

it('refuses what cannot be bought, with a code', async () => {
  const create = (input: object) =>
    under.raw({
      query:
        'mutation($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { errors { field code } } }',
      variables: { input },
    });
  const line = { variantId: under.seeded.variants.pro.id, quantity: 1 };
  expect((await create({ channel: 'nowhere', lines: [line] })).body.data).toMatchObject({
    checkoutCreate: { errors: [{ field: 'channel', code: 'NOT_FOUND' }] },
  });
  expect(
    (await create({ channel: 'default-channel', lines: [{ ...line, quantity: 0 }] })).body.data,
  ).toMatchObject({ checkoutCreate: { errors: [{ code: 'ZERO_QUANTITY' }] } });
  expect(
    (await create({ channel: 'default-channel', lines: [line], billingAddress: { country: 'US' } })).body
      .data,
  ).toMatchObject({
    checkoutCreate: {
      errors: [
        { field: 'streetAddress1', code: 'REQUIRED' },
        { field: 'city', code: 'REQUIRED' },
      ],
    },
  });
});

it('adds lines, e-mail and address to a checkout step by step, and needs them all', async () => {
  const { checkoutCreate } = await under.ask<{ checkoutCreate: { checkout: { id: string } } }>(
    'mutation { checkoutCreate(input: { channel: "default-channel", lines: [] }) { checkout { id } errors { message } } }',
    {},
    '',
  );
  const { id } = checkoutCreate.checkout;
  await expect(complete(under, id, '')).rejects.toThrow('Cannot complete checkout without lines.');
  const lines = [{ variantId: under.seeded.variants.pack1000.id, quantity: 1 }];
  const add =
    'mutation($id: ID!, $lines: [CheckoutLineInput!]!) { checkoutLinesAdd(id: $id, lines: $lines) { checkout { quantity totalPrice { gross { amount fractionalAmount fractionDigits } } } errors { message } } }';
  await under.ask(add, { id, lines }, '');
  expect(await under.ask(add, { id, lines }, '')).toEqual({
    checkoutLinesAdd: {
      checkout: {
        quantity: 2,
        totalPrice: { gross: { amount: 20, fractionalAmount: 2000, fractionDigits: 2 } },
      },
      errors: [],
    },
  });
  await expect(complete(under, id, '')).rejects.toThrow('Billing address is not set');
  await under.ask(
    'mutation($id: ID!, $a: AddressInput!) { checkoutBillingAddressUpdate(id: $id, billingAddress: $a) { errors { message } } }',
    { id, a: address },
    '',
  );
  await expect(complete(under, id, '')).rejects.toThrow('Checkout email must be set.');
  await under.ask(
    'mutation($id: ID!) { checkoutEmailUpdate(id: $id, email: "guest@acme.test") { errors { message } } }',
    { id },
    '',
  );
  expect((await complete(under, id, '')).status).toBe('UNCONFIRMED');
});

it('takes order metadata from the checkout, where the buyer may write it, and nowhere after', async () => {
  const buyer = await customer(under, 'meta@example.com');
  const id = await checkout(under, { token: buyer });
  const write =
    'mutation($id: ID!) { updateMetadata(id: $id, input: [{ key: "k", value: "v" }]) { item { metadata { key value } } errors { message } } }';
  await under.ask(write, { id }, buyer);
  const order = await complete(under, id, buyer);
  const read = await under.ask<{ order: { metafield: string } }>(
    'query($id: ID!) { order(id: $id) { metafield(key: "k") } }',
    { id: order.id },
    buyer,
  );
  expect(read.order.metafield).toBe('v');
  await expect(under.ask(write, { id: order.id }, buyer)).rejects.toThrow('MANAGE_ORDERS, HANDLE_TAXES');
  expect(await under.ask(write, { id: order.id })).toMatchObject({
    updateMetadata: { item: { metadata: [{ key: 'k', value: 'v' }] } },
  });
});

it('shows a customer the own orders, and refuses the list of all', async () => {
  const buyer = await customer(under, 'mine@example.com');
  const order = await buy(under, { token: buyer });
  const { me } = await under.ask<{
    me: { orders: { edges: { node: { id: string } }[]; totalCount: number } };
  }>('{ me { orders(first: 5) { totalCount edges { node { id } } } } }', {}, buyer);
  expect(me.orders).toEqual({ totalCount: 1, edges: [{ node: { id: order.id } }] });
  await expect(under.ask('{ orders(first: 1) { totalCount } }', {}, buyer)).rejects.toThrow('MANAGE_ORDERS');
});

it('pages orders by updatedAt, each once, also while they change', async () => {
  const first = await standing((await buy(under)).id);
  const ids = [(await buy(under)).id, (await buy(under)).id, (await buy(under)).id];
  const query = `query($after: String, $since: DateTime!) {
    orders(first: 2, after: $after, where: { updatedAt: { gte: $since } }, sortBy: { field: LAST_MODIFIED_AT, direction: ASC }) {
      totalCount pageInfo { hasNextPage endCursor } edges { node { id } } } }`;
  interface Page {
    orders: {
      totalCount: number;
      pageInfo: { hasNextPage: boolean; endCursor: string };
      edges: { node: { id: string } }[];
    };
  }
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const { orders }: Page = await under.ask<Page>(query, { after, since: first.updatedAt });
    expect(orders.totalCount).toBe(4);
    seen.push(...orders.edges.map(({ node }) => node.id));
    after = orders.pageInfo.hasNextPage ? orders.pageInfo.endCursor : null;
  } while (after);
  expect(seen.slice(1)).toEqual(ids);
  await expect(under.ask('{ orders(first: 101) { totalCount } }')).rejects.toThrow(
    'exceeds the `first` limit of 100',
  );
  await expect(under.ask('{ orders { totalCount } }')).rejects.toThrow(
    'You must provide a `first` or `last` value',
  );
});
