import { describe, expect, it } from 'vitest';
import { anonymous, type Caller } from '@agentstore/kernel/caller';
import { credits } from '@agentstore/kernel/credits';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { apiKeyCaller, serviceCaller, userCaller, widgetCaller } from '@agentstore/kernel/testing/callers';
import { topUp } from '../grants/grants.store.ts';
import { useBillingApp, type Result } from '../testing/billing-app.ts';
import { newRun, times, useLedger } from '../testing/ledger.ts';

const ledger = useLedger();
const billing = useBillingApp(ledger);
const member = () => userCaller([{ organizationId: ledger.organizationId, role: 'MEMBER' }]);
const stranger = () => userCaller([{ organizationId: uuidv7(), role: 'OWNER' }]);
const operator = () => userCaller([], { operator: true });
const organization = () => toGlobalId('Organization', ledger.organizationId);
const order = { saleorApiUrl: 'https://shop.test/graphql/', orderId: 'T3JkZXI6MQ==', lineId: 'TGluZTox' };
interface Paged {
  wallet: {
    ledgerEntries: {
      edges: { node: { seq: number } }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  };
}
interface Shown {
  wallet: { ledgerEntries: { edges: { node: { at: string; balanceAfter: string } }[] } };
}
interface Entities {
  _entities: object[];
}
const entities = `query ($of: [_Any!]!) { _entities(representations: $of) {
  ... on Organization { wallet { balance } } ... on Run { charge } ... on Order { topUps { kind amount order { id } } }
  ... on Instance { spend(period: TODAY) } } }`;
const of = () => [
  { __typename: 'Organization', id: organization() },
  { __typename: 'Order', id: order.orderId },
  { __typename: 'Instance', id: toGlobalId('Instance', ledger.instanceId) },
];

async function settledRun(tokens = 100n): Promise<string> {
  const runId = newRun();
  await ledger.authorize(runId);
  await ledger.settle(runId, tokens);
  return runId;
}

describe('a wallet', () => {
  it('shows its balance, grants, entries with transfers and usage, and reservations', async () => {
    await ledger.grant(credits(5), 'TRIAL', { key: 'trial' });
    await ledger.grant(credits(20), 'PAID', { key: 'paid' });
    const runId = await settledRun(700n);
    await ledger.authorize();
    const { data, errors } = await billing.graph<{ wallet: object }>(
      member(),
      `query ($id: ID!) { wallet(organizationId: $id) {
        organization { id } balance reserved available debt state
        grants { kind granted remaining source } all: grants(includeSpent: true) { kind remaining }
        ledgerEntries(first: 1) { totalCount pageInfo { hasNextPage endCursor }
          edges { node { seq kind amount balanceAfter run { id charge } order { id } transfers { creditAccount amount code } usage { dimension quantity unitPrice amount } } } }
        grantEntries: ledgerEntries(kind: [GRANT, TOP_UP]) { totalCount edges { node { kind } } }
        reservations(state: [OPEN]) { state amount } } }`,
      { id: organization() },
    );
    expect(errors).toBeUndefined();
    expect(data!.wallet).toMatchObject({
      organization: { id: organization() },
      balance: '17000000',
      reserved: '10000000',
      available: '7000000',
      debt: '0',
      state: 'OPEN',
      grants: [{ kind: 'PAID', granted: '20000000', remaining: '17000000', source: 'paid' }],
      all: [
        { kind: 'TRIAL', remaining: '0' },
        { kind: 'PAID', remaining: '17000000' },
      ],
      ledgerEntries: {
        totalCount: 3,
        pageInfo: { hasNextPage: true },
        edges: [
          {
            node: {
              seq: 3,
              kind: 'SETTLEMENT',
              amount: '-8000000',
              balanceAfter: '17000000',
              run: { id: toGlobalId('Run', runId), charge: '8000000' },
              order: null,
              transfers: [
                { creditAccount: 'platform:revenue', amount: '3000000', code: 'USAGE' },
                { creditAccount: 'platform:promo', amount: '5000000', code: 'PROMO_USAGE' },
              ],
              usage: [
                { dimension: 'output_token', quantity: '700', unitPrice: '10000000000', amount: '7000000' },
                { dimension: 'run', quantity: '1', unitPrice: '1000000000000', amount: '1000000' },
              ],
            },
          },
        ],
      },
      grantEntries: { totalCount: null, edges: [{ node: { kind: 'TOP_UP' } }, { node: { kind: 'GRANT' } }] },
      reservations: [{ state: 'OPEN', amount: '10000000' }],
    });
  });

  it('pages through every entry once, and refuses a cursor of another list', async () => {
    for (let i = 0; i < 5; i++) await ledger.grant(credits(1));
    const seen: number[] = [];
    let after: string | null = null;
    const page = `query ($id: ID!, $after: String) { wallet(organizationId: $id) { ledgerEntries(first: 2, after: $after) {
      edges { node { seq } } pageInfo { hasNextPage endCursor } } } }`;
    do {
      const answer: Result<Paged> = await billing.graph<Paged>(member(), page, { id: organization(), after });
      const { edges, pageInfo } = answer.data!.wallet.ledgerEntries;
      seen.push(...edges.map(({ node }) => node.seq));
      after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual([5, 4, 3, 2, 1]);
    const strange = Buffer.from(uuidv7()).toString('base64url');
    const { errors } = await billing.graph(member(), page, { id: organization(), after: strange });
    expect(errors![0]!.extensions.code).toBe('BAD_USER_INPUT');
  });

  it('is empty for an organization that was never granted anything, and says when it is depleted or frozen', async () => {
    const ask = async () =>
      (
        await billing.graph<{ wallet: object }>(
          member(),
          `{ wallet(organizationId: "${organization()}") { balance state } }`,
        )
      ).data!.wallet;
    expect(await ask()).toEqual({ balance: '0', state: 'DEPLETED' });
    await ledger.grant(credits(10));
    expect(await ask()).toEqual({ balance: '10000000', state: 'OPEN' });
    await ledger.admin.query("update wallet set state = 'FROZEN' where organization_id = $1", [
      ledger.organizationId,
    ]);
    expect(await ask()).toEqual({ balance: '10000000', state: 'FROZEN' });
  });

  it('knows its balance at any moment that it shows', async () => {
    await ledger.grant(credits(3));
    await ledger.grant(credits(4));
    const shown = await billing.graph<Shown>(
      member(),
      `{ wallet(organizationId: "${organization()}") { ledgerEntries { edges { node { at balanceAfter } } } } }`,
    );
    for (const { node } of shown.data!.wallet.ledgerEntries.edges.slice(0, 1)) {
      const { data } = await billing.graph<{ wallet: { balanceAt: string } }>(
        member(),
        `{ wallet(organizationId: "${organization()}") { balanceAt(at: "${node.at}") } }`,
      );
      expect(data!.wallet.balanceAt).toBe(node.balanceAfter);
    }
  });
});

describe('fields on types of others', () => {
  it('show what the caller may see', async () => {
    await topUp(
      ledger.database,
      { organizationId: ledger.organizationId, credits: credits(20), kind: 'PAID', key: 'k', order },
      'test',
    );
    const runId = await settledRun();
    const run = { __typename: 'Run', id: toGlobalId('Run', runId) };
    const { data, errors } = await billing.graph<Entities>(member(), entities, { of: [...of(), run] });
    expect(errors).toBeUndefined();
    const [wallet, topUps, instance, charged] = data!._entities;
    expect([wallet, topUps, charged]).toEqual([
      { wallet: { balance: '18000000' } },
      { topUps: [{ kind: 'TOP_UP', amount: '20000000', order: { id: order.orderId } }] },
      { charge: '2000000' },
    ]);
    expect(instance).toMatchObject({ spend: expect.stringMatching(/^[1-9]/) as string });
  });

  it('show a stranger and an anonymous caller nothing of it', async () => {
    await topUp(
      ledger.database,
      {
        organizationId: ledger.organizationId,
        credits: credits(20),
        kind: 'PAID',
        key: 'k',
        order: { ...order, lineId: 'TGluZToy' },
      },
      'test',
    );
    const run = { __typename: 'Run', id: toGlobalId('Run', await settledRun()) };
    const seen = await billing.graph<Entities>(stranger(), entities, { of: [of()[1], of()[2], run] });
    expect(seen.data!._entities).toEqual([{ topUps: [] }, { spend: '0' }, { charge: null }]);
    const wallet = await billing.graph(stranger(), entities, { of: [of()[0]] });
    expect(wallet.errors![0]!.extensions.code).toBe('NOT_FOUND');
    const query = `{ wallet(organizationId: "${organization()}") { balance } }`;
    expect((await billing.graph(stranger(), query)).data).toEqual({ wallet: null });
    expect((await billing.graph(operator(), query)).data).toEqual({ wallet: null });
    expect((await billing.graph(anonymous, query)).errors![0]!.extensions.code).toBe('UNAUTHENTICATED');
    const key = apiKeyCaller(ledger.organizationId, 'run:start');
    expect((await billing.graph(key, query)).errors![0]!.extensions.code).toBe('FORBIDDEN');
  });
});

it('a visitor of the widget sees no amount, also of their own organization and instance', async () => {
  await topUp(
    ledger.database,
    {
      organizationId: ledger.organizationId,
      credits: credits(20),
      kind: 'PAID',
      key: 'k',
      order: { ...order, lineId: 'TGluZToz' },
    },
    'test',
  );
  const run = { __typename: 'Run', id: toGlobalId('Run', await settledRun()) };
  const visitor = widgetCaller(ledger);
  const seen = await billing.graph<Entities>(visitor, entities, { of: [of()[1], of()[2], run] });
  expect(seen.data!._entities).toEqual([{ topUps: [] }, { spend: '0' }, { charge: null }]);
  const ofOrganization = await billing.graph(visitor, entities, { of: [of()[0]] });
  expect(ofOrganization.errors![0]!.extensions.code).toBe('FORBIDDEN');
  const query = `{ wallet(organizationId: "${organization()}") { balance } }`;
  expect((await billing.graph(visitor, query)).errors![0]!.extensions.code).toBe('FORBIDDEN');
});

describe('the charge of a run', () => {
  it('is nothing when it was given back or swept unused, what was reported when its runner was lost, and null while it is under way', async () => {
    await ledger.grant(credits(40));
    const [open, released, unused, lost] = [newRun(), newRun(), newRun(), newRun()];
    for (const runId of [open, released, unused, lost]) await ledger.authorize(runId);
    await ledger.release(released);
    await ledger.extend(lost, { tokens: 100n });
    await ledger.makeDue(unused);
    await ledger.makeDue(lost);
    await ledger.sweep();
    const runs = [open, released, unused, lost].map((runId) => ({
      __typename: 'Run',
      id: toGlobalId('Run', runId),
    }));
    const { data } = await billing.graph<Entities>(member(), entities, { of: runs });
    expect(data!._entities).toEqual([null, '0', '0', '2000000'].map((charge) => ({ charge })));
  });
});

describe('walletChanged', () => {
  const subscription = () =>
    `subscription { walletChanged(organizationId: "${organization()}") { balance reserved debt } }`;

  it('sends the wallet now and after each change, a debt alone too', async () => {
    await ledger.grant(credits(10), 'PAID', { key: 'pack' });
    const stop = new AbortController();
    const results = billing.follow<{ walletChanged: object }>(member(), subscription(), stop.signal);
    const next = async () =>
      ((await results.next()).value as Result<{ walletChanged: object }>).data!.walletChanged;
    expect(await next()).toEqual({ balance: '10000000', reserved: '0', debt: '0' });
    await ledger.authorize();
    expect(await next()).toEqual({ balance: '10000000', reserved: '10000000', debt: '0' });
    await ledger.clawBack('pack');
    expect(await next()).toEqual({ balance: '10000000', reserved: '10000000', debt: '10000000' });
    stop.abort();
    await results.return(undefined).catch(() => undefined);
  });

  it('is rung for by every command on a wallet, never inside the transactions of the ledger', async () => {
    const store = serviceCaller('billing:authorize', 'billing:settle', 'wallet:topup');
    const heard: string[] = [];
    let wake = (): void => undefined;
    ledger.admin.on('notification', ({ payload }) => {
      heard.push(payload!);
      wake();
    });
    await ledger.admin.query('listen billing_wallet');
    const runId = newRun();
    const commands: [string, object][] = [
      ['/wallet/topup', { credits: '90000000', kind: 'PAID', key: 'k' }],
      [
        '/billing/authorize',
        { runId, instanceId: ledger.instanceId, offeringId: ledger.offeringId, ttlSeconds: 60 },
      ],
      ['/billing/extend', { runId, amount: '1', usage: [], seq: 1, ttlSeconds: 60 }],
      ['/billing/release', { runId, reason: 'test' }],
      ['/billing/settle', { runId, usage: [] }],
      ['/wallet/clawback', { key: 'r', topUpKey: 'k' }],
    ];
    try {
      for (const [path, body] of commands) {
        heard.length = 0;
        const rung = new Promise<void>((resolve) => (wake = resolve));
        // What the SQL itself told of the other organization would be heard first: notifications come in the order of commits.
        await ledger.database.statement(
          'quiet',
          `select top_up($1::uuid, 'q', '', $1, $1, $1, 'PAID', 1, null, null, 'test')`,
          [newRun()],
        );
        await billing.rest(store, 'POST', path, { organizationId: ledger.organizationId, ...body });
        await rung;
        expect({ path, heard }).toEqual({ path, heard: [ledger.organizationId] });
      }
    } finally {
      await ledger.admin.query('unlisten billing_wallet');
      ledger.admin.removeAllListeners('notification');
    }
  });

  it('is NOT_FOUND for a stranger', async () => {
    const stop = new AbortController();
    const results = billing.follow(stranger(), subscription(), stop.signal);
    expect(((await results.next()).value as Result<unknown>).errors![0]!.extensions.code).toBe('NOT_FOUND');
    stop.abort();
  });
});

describe('walletAdjust', () => {
  const adjust = (caller: Caller, input: Record<string, unknown>) =>
    billing.graph<{ walletAdjust: { errors: object[]; wallet: object | null } }>(
      caller,
      `mutation ($input: WalletAdjustInput!) { walletAdjust(input: $input) { errors { code field }
        wallet { balance debt grants { kind remaining } ledgerEntries { edges { node { kind amount transfers { debitAccount creditAccount } } } } } } }`,
      {
        input: { organizationId: organization(), reason: 'charged in error', idempotencyKey: 'k1', ...input },
      },
    );

  it('gives and takes once per key, and is recorded with who and why', async () => {
    await ledger.grant(credits(10));
    const staff = operator();
    const given = await times(5, () => adjust(staff, { amount: '3000000' }));
    for (const { data } of given)
      expect(data!.walletAdjust).toMatchObject({ errors: [], wallet: { balance: '13000000' } });
    const taken = await adjust(staff, { amount: '-4000000', idempotencyKey: 'k2' });
    expect(taken.data!.walletAdjust.wallet).toMatchObject({
      balance: '9000000',
      grants: [{ kind: 'PAID', remaining: '9000000' }],
      ledgerEntries: {
        edges: [
          {
            node: {
              kind: 'ADJUSTMENT',
              amount: '-4000000',
              transfers: [
                { debitAccount: `wallet:${ledger.organizationId}`, creditAccount: 'platform:promo' },
              ],
            },
          },
          { node: { kind: 'ADJUSTMENT', amount: '3000000' } },
          { node: { kind: 'TOP_UP' } },
        ],
      },
    });
    const { rows } = await ledger.admin.query(
      "select distinct actor, reason from ledger_entry where organization_id = $1 and kind = 'ADJUSTMENT'",
      [ledger.organizationId],
    );
    expect(rows).toEqual([
      { actor: `user:${(staff as { userId: string }).userId}`, reason: 'charged in error' },
    ]);
  });

  it.each([
    ['a wallet that is not there', {}, 'WALLET_NOT_FOUND', false],
    ['zero', { amount: '0' }, 'INVALID', true],
    ['no reason', { reason: ' ' }, 'INVALID', true],
    ['more than is available', { amount: '-1000001' }, 'INSUFFICIENT_CREDITS', true],
  ])('refuses %s', async (_name, input, code, withWallet) => {
    if (withWallet) await ledger.grant(credits(1));
    const { data } = await adjust(operator(), { amount: '5', ...input });
    expect(data!.walletAdjust).toMatchObject({ wallet: null, errors: [{ code }] });
  });

  it('refuses the key with another body, and everybody but operators', async () => {
    await ledger.grant(credits(1));
    await adjust(operator(), { amount: '5' });
    const { data } = await adjust(operator(), { amount: '6' });
    expect(data!.walletAdjust.errors).toEqual([{ code: 'IDEMPOTENCY_CONFLICT', field: null }]);
    const owner = userCaller([{ organizationId: ledger.organizationId, role: 'OWNER' }]);
    expect((await adjust(owner, { amount: '7', idempotencyKey: 'k3' })).errors![0]!.extensions.code).toBe(
      'FORBIDDEN',
    );
  });
});
