import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { userCaller } from '@agentstore/kernel/testing/callers';
import { catalogue, startControlPlane, variantId, type ControlPlane } from '../testing/control-plane-app.ts';
import type { GrantedOrder } from './grant-order.ts';

let app: ControlPlane;
beforeAll(async () => {
  app = await startControlPlane();
  await app.service.call('PUT', '/internal/catalogue', catalogue);
});

const proVariant = catalogue.plans.find((plan) => plan.code === 'pro')!.saleorVariantId;
const packVariant = catalogue.creditPacks[0]!.saleorVariantId;
/** Bound to nothing. */
let unboundPk = 1_000;
const unbound = (): string => variantId(unboundPk++);

const saleorApiUrl = 'https://shop.test/graphql/';
type Line = { id: string; quantity: number; variantId: string | null };
const line = (variantId: string | null, quantity = 1): Line => ({ id: uuidv7(), quantity, variantId });

/** An order of the shop as the provisioner reads it back. */
const order = (
  by: { userId?: string | undefined; userEmail?: string },
  lines: Line[],
  metadata: Record<string, string> = {},
) => ({
  saleorApiUrl,
  order: {
    id: uuidv7(),
    number: '1',
    channelSlug: 'default-channel',
    userId: by.userId ?? null,
    userEmail: by.userEmail ?? null,
    metadata,
    lines: lines.map((one) => ({ ...one, sku: null, metadata: {} })),
  },
});
type Order = ReturnType<typeof order>;
const paid = (snapshot: Order & { held?: string }) =>
  app.service.call<GrantedOrder>('POST', '/integrations/saleor/order-paid', snapshot);
const revoked = (snapshot: Order, reason = 'REFUNDED') =>
  app.service.call<{
    organizationId: string | null;
    instanceIds: string[];
    topUpLines: string[];
    revoked: boolean;
  }>('POST', '/integrations/saleor/order-revoked', { saleorApiUrl, orderId: snapshot.order.id, reason });
const parkedLinesOf = async (snapshot: Order) =>
  (
    await app.data<{ parkedOrderLines: { orderId: string; reason: string }[] }>(
      userCaller([], { operator: true }),
      '{ parkedOrderLines { orderId reason } }',
    )
  ).parkedOrderLines.filter(({ orderId }) => orderId === snapshot.order.id);
const instancesOf = (snapshot: Order) =>
  app.rows<{ id: string; organization_id: string; idempotency_key: string; desired_phase: string }>(
    'select id, organization_id, idempotency_key, desired_phase from instance where saleor_order_id = $1 order by id',
    [snapshot.order.id],
  );
const buyer = () => app.withWorkspace({ saleorUserId: `user-${uuidv7()}` });

describe('a paid order', () => {
  it.each(['its own workspace', 'the organization it names'])(
    'delivered 20 times at once is granted once, to %s',
    async (to) => {
      const { person, ...own } = await buyer();
      const named = await app.withWorkspace();
      await app.rows("insert into membership (organization_id, user_id, role) values ($1, $2, 'ADMIN')", [
        named.organizationId,
        person.userId,
      ]);
      const isOwn = to === 'its own workspace';
      const { organizationId } = isOwn ? own : named;
      const snapshot = order(
        { userId: person.saleorUserId },
        [line(proVariant), line(packVariant, 2)],
        isOwn ? {} : { 'agentstore.organizationId': named.organization },
      );
      const answers = await Promise.all(Array.from({ length: 20 }, () => paid(snapshot)));
      expect(new Set(answers.map(canonicalJson)).size).toBe(1);
      const [plan, pack] = snapshot.order.lines;
      expect(answers[0]).toEqual({
        organizationId,
        claim: false,
        lines: [
          {
            lineId: plan!.id,
            outcome: 'instance',
            instanceIds: [expect.any(String)],
            planGrant: { credits: '500000000', expiresAfterDays: 31 },
          },
          { lineId: pack!.id, outcome: 'creditPack', credits: '2000000000', expiresAfterDays: 365 },
        ],
      });
      expect(await instancesOf(snapshot)).toHaveLength(1);
    },
  );

  it('for three of a plan makes three instances with keys of their own', async () => {
    const { person } = await buyer();
    const snapshot = order({ userId: person.saleorUserId }, [line(proVariant, 3)]);
    await paid(snapshot);
    const key = `saleor:${snapshot.order.id}:${snapshot.order.lines[0]!.id}`;
    expect((await instancesOf(snapshot)).map((one) => one.idempotency_key)).toEqual([
      key,
      `${key}#2`,
      `${key}#3`,
    ]);
  });

  it('makes the workspace of a buyer who has none yet, trial included', async () => {
    const person = await app.signIn({ saleorUserId: `user-${uuidv7()}` });
    const { organizationId } = await paid(order({ userId: person.saleorUserId }, [line(proVariant)]));
    const again = await app.signIn({ subject: person.subject, email: person.email });
    expect(again.memberships).toEqual([{ organizationId, role: 'OWNER' }]);
    await expect.poll(() => app.billing.grantsOf(organizationId!).map(({ kind }) => kind)).toEqual(['TRIAL']);
  });

  it('parks lines that nothing is bound to, grants the others, and grants a parked one once it is bound', async () => {
    const { person } = await buyer();
    const variant = unbound();
    const snapshot = order({ userId: person.saleorUserId }, [line(variant), line(null), line(packVariant)]);
    expect((await paid(snapshot)).lines).toMatchObject([
      { outcome: 'parked', reason: expect.stringContaining('UNKNOWN_VARIANT') as string },
      { outcome: 'parked', reason: expect.stringContaining('VARIANT_DELETED') as string },
      { outcome: 'creditPack' },
    ]);
    expect(await parkedLinesOf(snapshot)).toHaveLength(2);
    expect((await app.graph(person, '{ parkedOrderLines { orderId } }')).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    const creditPacks = [
      ...catalogue.creditPacks,
      { ...catalogue.creditPacks[0]!, saleorVariantId: variant },
    ];
    await app.service.call('PUT', '/internal/catalogue', { ...catalogue, creditPacks });
    expect((await paid(snapshot)).lines[0]).toMatchObject({ outcome: 'creditPack', credits: '1000000000' });
    expect(await parkedLinesOf(snapshot)).toHaveLength(1);
  });
});

describe('an order of which part of the money went back', () => {
  const held = 'PARTIALLY_REFUNDED: part of the money went back';

  it('before anything was granted: its lines are parked, and nobody gets a workspace for it', async () => {
    const person = await app.signIn({ saleorUserId: `user-${uuidv7()}` });
    const snapshot = order({ userId: person.saleorUserId }, [line(proVariant), line(packVariant)]);
    const answer = await paid({ ...snapshot, held });
    expect(answer).toMatchObject({
      organizationId: null,
      lines: [
        { outcome: 'parked', reason: held },
        { outcome: 'parked', reason: held },
      ],
    });
    expect(await parkedLinesOf(snapshot)).toHaveLength(2);
    const again = await app.signIn({ subject: person.subject, email: person.email });
    expect(again.memberships).toEqual([]);
    // The buyer pays the rest again.
    expect((await paid(snapshot)).lines.map(({ outcome }) => outcome)).toEqual(['instance', 'creditPack']);
    expect(await parkedLinesOf(snapshot)).toEqual([]);
  });

  it('keeps what was granted, to be told to billing again, and grants nothing more', async () => {
    const { person, organizationId } = await buyer();
    const [first, second] = [line(proVariant), line(unbound())];
    const snapshot = order({ userId: person.saleorUserId }, [first, second]);
    const before = await paid(snapshot);
    const after = await paid({ ...snapshot, held });
    expect(after).toMatchObject({ organizationId, claim: false });
    expect(after.lines).toEqual([before.lines[0], { lineId: second.id, outcome: 'parked', reason: held }]);
    expect(await instancesOf(snapshot)).toHaveLength(1);
  });

  it("parks a guest's order that waits, so that the sign-in grants nothing of the money that went back", async () => {
    const email = `guest-${uuidv7()}@example.test`;
    const snapshot = order({ userEmail: email }, [line(proVariant), line(packVariant)]);
    expect(await paid(snapshot)).toEqual({ organizationId: null, claim: true, lines: [] });
    expect((await paid({ ...snapshot, held })).lines).toMatchObject([{ reason: held }, { reason: held }]);
    await app.signIn({ email });
    expect(await instancesOf(snapshot)).toEqual([]);
    expect(await parkedLinesOf(snapshot)).toHaveLength(2);
    // The guest pays the rest again, and is known by now.
    expect((await paid(snapshot)).lines.map(({ outcome }) => outcome)).toEqual(['instance', 'creditPack']);
  });
});

it('an order without a user and without an e-mail address is parked: nobody can ever claim it', async () => {
  const snapshot = order({}, [line(proVariant)]);
  expect(await paid(snapshot)).toMatchObject({
    claim: false,
    lines: [{ outcome: 'parked', reason: expect.stringContaining('NO_BUYER') as string }],
  });
  expect(await parkedLinesOf(snapshot)).toMatchObject([
    { reason: expect.stringContaining('NO_BUYER') as string },
  ]);
});

it('operators see the orders that the provisioner cannot bring to an end, until it can', async () => {
  const orderId = uuidv7();
  const tell = (reason: string | null) =>
    app.service.call('POST', '/integrations/saleor/order-parked', {
      saleorApiUrl,
      orderId,
      orderNumber: '21',
      reason,
    });
  const operator = userCaller([], { operator: true });
  const query = '{ parkedOrders { orderNumber orderId reason parkedAt } }';
  const seen = async () =>
    (await app.data<{ parkedOrders: { orderId: string }[] }>(operator, query)).parkedOrders.filter(
      (one) => one.orderId === orderId,
    );
  await tell('ORDER_NOT_FOUND: the shop does not show it');
  await tell('APP_TOKEN_REFUSED: the shop does not know us');
  expect(await seen()).toMatchObject([
    { orderNumber: '21', reason: 'APP_TOKEN_REFUSED: the shop does not know us' },
  ]);
  const { person } = await buyer();
  expect((await app.graph(person, query)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  await tell(null);
  expect(await seen()).toEqual([]);
});

describe('whose order it is', () => {
  const named = (organization: string) => ({ 'agentstore.organizationId': organization });

  it('goes to the organization it names when its buyer may buy for it', async () => {
    const { person } = await buyer();
    const { organization, organizationId } = await buyer();
    await app.rows("insert into membership (organization_id, user_id, role) values ($1, $2, 'BILLING')", [
      organizationId,
      person.userId,
    ]);
    const snapshot = order({ userId: person.saleorUserId }, [line(proVariant)], named(organization));
    expect(await paid(snapshot)).toMatchObject({ organizationId });
    // The buyer leaves; what was granted stays where it was, however often the shop tells of it.
    await app.rows('delete from membership where organization_id = $1 and user_id = $2', [
      organizationId,
      person.userId,
    ]);
    expect(await paid(snapshot)).toMatchObject({ organizationId });
  });

  it.each([
    ['of strangers', null],
    ['where the buyer may only look', 'VIEWER'],
  ])('ignores the name of an organization %s', async (_name, role) => {
    const mine = await buyer();
    const { organization, organizationId } = await buyer();
    if (role)
      await app.rows('insert into membership (organization_id, user_id, role) values ($1, $2, $3)', [
        organizationId,
        mine.person.userId,
        role,
      ]);
    const snapshot = order({ userId: mine.person.saleorUserId }, [line(proVariant)], named(organization));
    expect(await paid(snapshot)).toMatchObject({ organizationId: mine.organizationId });
  });

  it('ignores the name of an organization on an order without a signed-in buyer', async () => {
    const { person, organizationId: own } = await buyer();
    const { organization, organizationId } = await buyer();
    await app.rows("insert into membership (organization_id, user_id, role) values ($1, $2, 'OWNER')", [
      organizationId,
      person.userId,
    ]);
    const snapshot = order({ userEmail: person.email }, [line(proVariant)], named(organization));
    expect(await paid(snapshot)).toMatchObject({ organizationId: own });
  });

  it('ignores the name of an organization on an order that the shop put on a customer by the e-mail alone', async () => {
    // Whoever checks out as a guest with a customer's e-mail address gets that customer on the order.
    const { person, organizationId: own } = await app.withWorkspace();
    const { organization, organizationId } = await buyer();
    await app.rows("insert into membership (organization_id, user_id, role) values ($1, $2, 'OWNER')", [
      organizationId,
      person.userId,
    ]);
    const snapshot = order(
      { userId: `user-${uuidv7()}`, userEmail: person.email },
      [line(proVariant)],
      named(organization),
    );
    expect(await paid(snapshot)).toMatchObject({ organizationId: own });
  });

  it('names that are no organization at all are nobody', async () => {
    const { person, organizationId } = await buyer();
    for (const name of ['', 'nonsense', toGlobalId('Project', organizationId), uuidv7()])
      expect(
        await paid(order({ userId: person.saleorUserId }, [line(packVariant)], named(name))),
      ).toMatchObject({ organizationId });
  });
});

describe("a guest's order", () => {
  const guest = () => {
    const subject = uuidv7();
    return { subject, email: `Guest-${subject}@Example.test` };
  };

  it('waits for the first sign-in with its verified e-mail, and then its credits reach billing once', async () => {
    const who = guest();
    const snapshot = order({ userEmail: who.email.toLowerCase() }, [line(proVariant), line(packVariant)]);
    expect(await paid(snapshot)).toEqual({ organizationId: null, claim: true, lines: [] });
    await app.signIn({ ...who, subject: uuidv7(), emailVerified: false });
    expect(await instancesOf(snapshot)).toEqual([]);
    const people = await Promise.all(Array.from({ length: 5 }, () => app.signIn(who)));
    const { organizationId } = people.at(-1)!.memberships[0] ?? (await app.signIn(who)).memberships[0]!;
    expect(await instancesOf(snapshot)).toMatchObject([{ organization_id: organizationId }]);
    await expect
      .poll(() =>
        app.billing
          .grantsOf(organizationId)
          .map(({ kind, key }) => `${kind} ${key}`)
          .sort(),
      )
      .toEqual([
        `PAID saleor:${snapshot.order.id}:${snapshot.order.lines[1]!.id}`,
        `PLAN saleor:${snapshot.order.id}:${snapshot.order.lines[0]!.id}:plan`,
        `TRIAL trial:${organizationId}`,
      ]);
    expect(await paid(snapshot)).toMatchObject({ organizationId, claim: false });
  });

  it('that was granted to the person it names is not granted again to whoever has its e-mail later', async () => {
    const who = guest();
    const saleorUserId = `user-${uuidv7()}`;
    const snapshot = order({ userId: saleorUserId, userEmail: who.email }, [
      line(proVariant),
      line(packVariant),
    ]);
    expect(await paid(snapshot)).toMatchObject({ claim: true });
    // Known by another address, and not yet as the shop's person when the order was told of.
    const { person, organizationId } = await app.withWorkspace();
    await app.rows('update users set saleor_user_id = $2 where id = $1', [person.userId, saleorUserId]);
    expect(await paid(snapshot)).toMatchObject({ organizationId, claim: false });
    const late = await app.signIn(who);
    expect((await app.signIn({ ...who, subject: late.subject })).memberships).toEqual([]);
    expect(await instancesOf(snapshot)).toMatchObject([{ organization_id: organizationId }]);
    expect(
      await app.rows("select from outbox where payload -> 'order' ->> 'orderId' = $1", [snapshot.order.id]),
    ).toEqual([]);
  });

  it('of which a line was granted before gives the rest to the same organization, and its credits alone', async () => {
    const who = guest();
    const { organizationId } = await app.withWorkspace();
    const [first, second] = [line(packVariant), line(packVariant)];
    const snapshot = order({ userEmail: who.email }, [first, second]);
    await paid(snapshot);
    const outcome = { lineId: first.id, outcome: 'creditPack', credits: '1', expiresAfterDays: null };
    await app.rows('insert into order_line_grant values ($1, $2, $3, $4, $5)', [
      saleorApiUrl,
      snapshot.order.id,
      first.id,
      organizationId,
      outcome,
    ]);
    await app.signIn(who);
    await expect
      .poll(() => app.billing.grantsOf(organizationId).map(({ key }) => key))
      .toContain(`saleor:${snapshot.order.id}:${second.id}`);
    expect(app.billing.granted.has(`saleor:${snapshot.order.id}:${first.id}`)).toBe(false);
  });

  it('that names a person of the shop waits for that person, with or without an e-mail address', async () => {
    for (const userEmail of [undefined, `${uuidv7()}@elsewhere.test`]) {
      const saleorUserId = `user-${uuidv7()}`;
      const snapshot = order({ userId: saleorUserId, ...(userEmail ? { userEmail } : {}) }, [
        line(proVariant),
      ]);
      expect(await paid(snapshot)).toEqual({ organizationId: null, claim: true, lines: [] });
      const { organizationId } = await app.withWorkspace({ saleorUserId });
      expect(await instancesOf(snapshot)).toMatchObject([{ organization_id: organizationId }]);
    }
  });

  it('that was refunded before the sign-in gives nothing', async () => {
    const who = guest();
    const snapshot = order({ userEmail: who.email }, [line(proVariant)]);
    await paid(snapshot);
    await revoked(snapshot);
    await app.signIn(who);
    expect(await instancesOf(snapshot)).toEqual([]);
  });

  it('that is refunded while its credits are on their way is told to billing before the refund is', async () => {
    const who = guest();
    const snapshot = order({ userEmail: who.email }, [line(packVariant)]);
    await paid(snapshot);
    app.billing.down = true;
    await app.signIn(who).finally(() => undefined);
    const key = `saleor:${snapshot.order.id}:${snapshot.order.lines[0]!.id}`;
    const { topUpLines } = await revoked(snapshot).finally(() => (app.billing.down = false));
    expect(topUpLines).toEqual([snapshot.order.lines[0]!.id]);
    // What is still queued would be credits for a refunded order; what was delivered is there for the clawback.
    expect(await app.rows("select from outbox where payload ->> 'key' = $1", [key])).toEqual([]);
    expect(app.billing.granted.has(key)).toBe(false);
  });
});

describe('a revoked order', () => {
  it('takes its instances back, and tells the same when it is told again', async () => {
    const { person, organizationId } = await buyer();
    const snapshot = order({ userId: person.saleorUserId }, [line(proVariant, 2), line(packVariant)]);
    await paid(snapshot);
    const instanceIds = (await instancesOf(snapshot)).map(({ id }) => id);
    const [plan, pack] = snapshot.order.lines;
    const answer = { organizationId, instanceIds, topUpLines: [`${plan!.id}:plan`, pack!.id], revoked: true };
    for (const _again of [1, 2]) {
      const { topUpLines, ...rest } = await revoked(snapshot);
      expect({ ...rest, topUpLines: topUpLines.sort() }).toEqual({
        ...answer,
        topUpLines: answer.topUpLines.sort(),
      });
    }
    expect(await instancesOf(snapshot)).toMatchObject([
      { desired_phase: 'Terminated' },
      { desired_phase: 'Terminated' },
    ]);
  });

  it('that is told to be paid afterwards grants nothing', async () => {
    const { person } = await buyer();
    const snapshot = order({ userId: person.saleorUserId }, [line(proVariant), line(packVariant)]);
    expect(await revoked(snapshot)).toEqual({
      organizationId: null,
      instanceIds: [],
      topUpLines: [],
      revoked: true,
    });
    const late = await paid(snapshot);
    expect(late.lines.map((one) => one.outcome)).toEqual(['parked', 'parked']);
    expect(late.lines).toMatchObject([{ reason: expect.stringContaining('ORDER_REVOKED') as string }, {}]);
    expect(await instancesOf(snapshot)).toEqual([]);
  });

  it('by a charge-back before anything came of it can be paid again', async () => {
    const { person } = await buyer();
    const snapshot = order({ userId: person.saleorUserId }, [line(packVariant)]);
    expect(await revoked(snapshot, 'CHARGED_BACK')).toMatchObject({ revoked: false });
    expect((await paid(snapshot)).lines).toMatchObject([{ outcome: 'creditPack' }]);
    expect(await revoked(snapshot, 'CHARGED_BACK')).toMatchObject({
      revoked: true,
      topUpLines: [snapshot.order.lines[0]!.id],
    });
    expect((await paid(snapshot)).lines).toMatchObject([{ outcome: 'parked' }]);
  });

  it('leaves an order of another shop alone that has the same id', async () => {
    const { person } = await buyer();
    const snapshot = order({ userId: person.saleorUserId }, [line(proVariant)]);
    await paid(snapshot);
    await app.service.call('POST', '/integrations/saleor/order-revoked', {
      saleorApiUrl: 'https://other.test/graphql/',
      orderId: snapshot.order.id,
      reason: 'CANCELLED',
    });
    expect(await instancesOf(snapshot)).toMatchObject([{ desired_phase: 'Active' }]);
  });
});

it('only the provisioner may grant', async () => {
  await expect(
    app
      .clientWith('callers:resolve')
      .call('POST', '/integrations/saleor/order-paid', order({}, [line(proVariant)])),
  ).rejects.toMatchObject({ status: 403, code: 'FORBIDDEN' });
});
