import { describe, expect, it } from 'vitest';
import { anonymous } from '@agentstore/kernel/caller';
import { uuidv7 } from '@agentstore/kernel/ids';
import { serviceCaller, userCaller } from '@agentstore/kernel/testing/callers';
import { useBillingApp } from './testing/billing-app.ts';
import { newRun, times, useLedger } from './testing/ledger.ts';

const ledger = useLedger();
const billing = useBillingApp(ledger);
const store = serviceCaller('billing:authorize', 'billing:settle', 'billing:rate', 'wallet:topup');
const post = (path: string, body: object) =>
  billing.rest(store, 'POST', path, { organizationId: ledger.organizationId, ...body });
const topUp = (credits: string, key = 'saleor:o:l') => post('/wallet/topup', { credits, kind: 'PAID', key });
const authorize = (runId: string, more: object = {}) =>
  post('/billing/authorize', {
    runId,
    instanceId: ledger.instanceId,
    offeringId: ledger.offeringId,
    ttlSeconds: 60,
    ...more,
  });

it('reserves, extends, settles and gives the same answers again', async () => {
  const runId = newRun();
  expect(await topUp('20000000')).toMatchObject({
    status: 200,
    body: { balance: '20000000', replayed: false },
  });
  expect(await authorize(runId)).toMatchObject({
    status: 200,
    body: {
      reservationId: runId,
      amount: '10000000',
      priceVersion: 1,
      available: '10000000',
      replayed: false,
    },
  });
  // How long it is kept is not part of what is asked: a retry may say another time.
  expect(await authorize(runId, { ttlSeconds: 90 })).toMatchObject({ status: 200, body: { replayed: true } });
  const extend = {
    runId,
    amount: '5000000',
    usage: [{ dimension: 'run', quantity: '1' }],
    seq: 1,
    ttlSeconds: 120,
  };
  for (const _ of [1, 2])
    expect(await post('/billing/extend', extend)).toMatchObject({
      status: 200,
      body: { amount: '15000000' },
    });
  const usage = [
    { dimension: 'run', quantity: '1' },
    { dimension: 'output_token', quantity: '150' },
  ];
  for (const replayed of [false, true])
    expect(await post('/billing/settle', { runId, usage })).toMatchObject({
      status: 200,
      body: {
        ledgerEntryId: runId,
        charge: '2500000',
        balanceAfter: '17500000',
        replayed,
        transfers: [
          {
            debitAccount: `wallet:${ledger.organizationId}`,
            creditAccount: 'platform:revenue',
            amount: '2500000',
            code: 'USAGE',
          },
        ],
      },
    });
  expect(await post('/billing/release', { runId, reason: 'late' })).toMatchObject({
    status: 200,
    body: { state: 'SETTLED', charge: '2500000', replayed: true },
  });
});

it('refuses with a status, a code and what is missing', async () => {
  const runId = newRun();
  expect(await authorize(runId)).toMatchObject({ status: 404, body: { code: 'WALLET_NOT_FOUND' } });
  await topUp('4000000');
  expect(await topUp('4000001')).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
  const refused = await authorize(runId);
  expect(refused).toMatchObject({
    status: 402,
    body: { code: 'INSUFFICIENT_CREDITS', required: '10000000', available: '4000000', missing: '6000000' },
  });
  expect(refused.body).not.toHaveProperty('contended');
  await ledger.admin.query("update wallet set state = 'FROZEN' where organization_id = $1", [
    ledger.organizationId,
  ]);
  expect(await authorize(newRun())).toMatchObject({ status: 423, body: { code: 'WALLET_FROZEN' } });
  expect(await post('/billing/settle', { runId: newRun(), usage: [] })).toMatchObject({
    status: 404,
    body: { code: 'RESERVATION_NOT_FOUND' },
  });
  expect(await post('/wallet/clawback', { key: 'r', topUpKey: 'not-yet' })).toMatchObject({
    status: 200,
    body: { taken: '0', receivable: '0' },
  });
});

describe('amounts beyond reason', () => {
  const huge = [{ dimension: 'output_token', quantity: '9'.repeat(30) }];

  it('of usage settle at the most that a run can cost, and stop nothing else of the wallet', async () => {
    const { offeringId } = ledger;
    const [first, second] = [newRun(), newRun()];
    await topUp('20000000');
    for (const runId of [first, second]) expect(await authorize(runId)).toMatchObject({ status: 200 });
    const extend = { runId: first, amount: '0', usage: huge, seq: 1, ttlSeconds: 120 };
    expect(await post('/billing/extend', extend)).toMatchObject({ status: 402 });
    await ledger.makeDue(first);
    expect(await authorize(newRun(), { offeringId })).toMatchObject({ status: 402 });
    const most = '1000000000000000';
    expect(await post('/billing/settle', { runId: first, usage: huge })).toMatchObject({
      status: 200,
      body: { charge: most },
    });
    expect(await post('/billing/settle', { runId: second, usage: [...huge, ...huge] })).toMatchObject({
      status: 200,
      body: { charge: most },
    });
  });

  it.each([
    ['/billing/settle', { usage: [{ dimension: 'output_token', quantity: '' }] }],
    ['/billing/settle', { usage: [{ dimension: 'output_token', quantity: '0x10' }] }],
    ['/billing/settle', { usage: [{ dimension: 'output_token', quantity: ' 1' }] }],
    ['/billing/settle', { usage: [{ dimension: 'output_token', quantity: 1 }] }],
    ['/billing/settle', { usage: [{ dimension: 'output_token', quantity: '9'.repeat(31) }] }],
    ['/billing/extend', { usage: [], amount: '0', seq: 2_147_483_648, ttlSeconds: 60 }],
    ['/billing/extend', { usage: [], amount: '1000000000000001', seq: 1, ttlSeconds: 60 }],
    [
      '/billing/authorize',
      { instanceId: newRun(), offeringId: newRun(), ttlSeconds: 60, amount: '1000000000000001' },
    ],
    ['/wallet/topup', { kind: 'PAID', key: 'k', credits: '1000000000000001' }],
  ])('are refused at %s: %o', async (path, body) => {
    expect(await post(path, { runId: newRun(), ...body })).toMatchObject({
      status: 400,
      body: { code: 'BAD_REQUEST' },
    });
  });

  it('as a maximum are no maximum, up to what a number of the ledger holds', async () => {
    await topUp('20000000');
    expect(await authorize(newRun(), { maxCharge: '9223372036854775807' })).toMatchObject({ status: 200 });
    expect(await authorize(newRun(), { maxCharge: '9223372036854775808' })).toMatchObject({ status: 400 });
  });
});

it('grants an order delivered 20 times at once only once', async () => {
  const answers = await times(20, () => topUp('1000000000'));
  expect(new Set(answers.map(({ body }) => body['ledgerEntryId'])).size).toBe(1);
  expect(answers.filter(({ body }) => body['replayed'] === false)).toHaveLength(1);
});

describe('rate cards', () => {
  const put = (offeringId: string, prices: object[], reserve = '1000') =>
    billing.rest(store, 'PUT', `/billing/rate-cards/${offeringId}`, { prices, reserve });
  const price = (unitPrice: string, dimension = 'run') => ({ dimension, unitPrice });

  it('are versions that never change: the same card is the same version, and what was put can be read', async () => {
    const offeringId = uuidv7();
    expect(await put(offeringId, [price('5')])).toMatchObject({ body: { version: 1 } });
    expect(await put(offeringId, [price('5')])).toMatchObject({ body: { version: 1 } });
    expect(await put(offeringId, [price('6')])).toMatchObject({ body: { version: 2 } });
    expect(await billing.rest(store, 'GET', `/billing/rate-cards/${offeringId}`)).toMatchObject({
      status: 200,
      body: { version: 2, prices: [price('6')], reserve: '1000' },
    });
    await expect(ledger.admin.query('update rate_card set reserve = 1')).rejects.toThrow(/append-only/);
  });

  it('refuse two prices for one dimension, a price below zero or beyond reason, and no reserve', async () => {
    for (const [prices, reserve] of [
      [[price('5'), price('6')], '1000'],
      [[price('-1')], '1000'],
      [[price('1000000000000001')], '1000'],
      [[price('5')], '0'],
      [[price('5')], '1000000000000001'],
    ] as const)
      expect(await put(uuidv7(), [...prices], reserve)).toMatchObject({
        status: 400,
        body: { code: 'BAD_REQUEST' },
      });
    expect(await billing.rest(store, 'GET', `/billing/rate-cards/${uuidv7()}`)).toMatchObject({
      status: 404,
    });
  });

  it('charge a run by the version it was reserved under', async () => {
    const offeringId = uuidv7();
    await put(offeringId, [price('2000000')]);
    await topUp('1000000');
    const runId = newRun();
    await authorize(runId, { offeringId });
    await put(offeringId, [price('9000000')]);
    const usage = [{ dimension: 'run', quantity: '3' }];
    expect(await post('/billing/settle', { runId, usage })).toMatchObject({ body: { charge: '6' } });
  });
});

describe('who may ask', () => {
  const paths = ['authorize', 'settle', 'release', 'extend'].map((name) => `/billing/${name}`);
  it.each([...paths, '/wallet/topup', '/wallet/clawback'])(
    '%s is for services with its permission',
    async (path) => {
      expect(await billing.rest(anonymous, 'POST', path, {})).toMatchObject({ status: 401 });
      const owner = userCaller([{ organizationId: ledger.organizationId, role: 'OWNER' }], {
        operator: true,
      });
      expect(await billing.rest(owner, 'POST', path, {})).toMatchObject({ status: 403 });
      expect(await billing.rest(serviceCaller('run:execute'), 'POST', path, {})).toMatchObject({
        status: 403,
      });
      expect(await billing.rest(store, 'POST', path, {})).toMatchObject({
        status: 400,
        body: { code: 'BAD_REQUEST' },
      });
    },
  );
});
