import { systemScope } from '@agentstore/kernel/access';
import type { Tx } from '@agentstore/kernel/db/database';
import { addToOutbox } from '@agentstore/kernel/db/outbox';
import { isUuid, fromGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { permissionsOfRole } from '@agentstore/kernel/permissions';
import type { Room } from '../deps.ts';
import { decideChange } from '../instances/instance.ts';
import {
  addEvent,
  instancesOfOrder,
  lockInstance,
  queueForGit,
  writeDesired,
} from '../instances/instances.store.ts';
import { requestInstance } from '../instances/request-instance.ts';
import { creditPackOf, currentVersion, planBy } from '../offerings/offerings.store.ts';
import { creditsGranted, ensureWorkspace } from '../organizations/make-workspace.ts';
import { membershipsOf, projectsOf, userOfShop, type User } from '../organizations/organizations.store.ts';
import type { LineOutcome, OrderLine, OrderSnapshot } from './order.ts';
import {
  closeClaim,
  dropClaim,
  dropQueuedCredits,
  grantsOfOrder,
  insertClaim,
  hasClaim,
  insertGrant,
  insertRevoked,
  lockOrder,
  openClaims,
  parkLine,
  revokedReason,
} from './orders.store.ts';

export interface GrantedOrder {
  readonly organizationId: Uuid | null;
  /** The order waits for its buyer: for the first sign-in with its verified e-mail, or of the shop's person it names. */
  readonly claim: boolean;
  readonly lines: readonly LineOutcome[];
}

/**
 * Turns a paid order's lines into instances and credits, each line once for ever, however often and from however many deliveries it is asked. Lines that
 * cannot be granted are parked with a reason an operator sees. Credits are answered, not posted: the caller tops the wallet up under the line's key.
 */
export function grantOrder(room: Room, snapshot: OrderSnapshot): Promise<GrantedOrder> {
  return room.db.transaction(systemScope('grant-order'), async (tx) => {
    await lockOrder(tx, snapshot.saleorApiUrl, snapshot.order.id);
    const revoked = await revokedReason(tx, snapshot.saleorApiUrl, snapshot.order.id);
    if (revoked)
      return nowhere(snapshot.order.lines.map(({ id }) => parkedAs(id, `ORDER_REVOKED: ${revoked}`)));
    const granted = await grantsOfOrder(tx, snapshot.saleorApiUrl, snapshot.order.id);
    // Nobody gets a workspace for lines that are held, and an order that waits for its buyer waits no more: it would be granted as it once was.
    if (snapshot.held !== undefined && granted.length === 0) {
      await dropClaim(tx, snapshot.saleorApiUrl, snapshot.order.id);
      return nowhere(await parkLines(tx, snapshot, snapshot.held));
    }
    const buyer = await userOfShop(tx, {
      saleorUserId: snapshot.order.userId,
      email: snapshot.order.userEmail,
    });
    if (!buyer && granted.length === 0) {
      if (!snapshot.order.userEmail && !snapshot.order.userId)
        return nowhere(
          await parkLines(tx, snapshot, 'NO_BUYER: the order has neither a user nor an e-mail address'),
        );
      await insertClaim(tx, snapshot);
      return waitingGuest;
    }
    if (buyer) await closeClaim(tx, orderKey(snapshot), buyer.id);
    const home = await homeOf(room, tx, snapshot, { granted: granted[0]?.organizationId, buyer });
    const { lines } = await grantLines(tx, snapshot, home);
    return { organizationId: home.organizationId, claim: false, lines };
  });
}

const waitingGuest: GrantedOrder = { organizationId: null, claim: true, lines: [] };
const nowhere = (lines: LineOutcome[]): GrantedOrder => ({ organizationId: null, claim: false, lines });
const parkedAs = (lineId: string, reason: string): LineOutcome => ({ lineId, outcome: 'parked', reason });

async function parkLines(tx: Tx, snapshot: OrderSnapshot, reason: string): Promise<LineOutcome[]> {
  for (const line of snapshot.order.lines) await parkLine(tx, snapshot, line, reason);
  return snapshot.order.lines.map(({ id }) => parkedAs(id, reason));
}

const orderKey = ({ saleorApiUrl, order }: OrderSnapshot) => ({ saleorApiUrl, orderId: order.id });

/**
 * Grants what waited for this person, each order once whoever comes first. Credits of the lines granted here go to billing through the outbox, since no
 * provisioner is waiting for the answer; those of lines granted before went their own way.
 */
export async function claimOrders(room: Room, user: User): Promise<void> {
  await room.db.transaction(systemScope('claim-orders'), async (tx) => {
    const email = user.emailVerified ? user.email : null;
    for (const key of await openClaims(tx, { email, saleorUserId: user.saleorUserId })) {
      await lockOrder(tx, key.saleorApiUrl, key.orderId);
      const snapshot = await closeClaim(tx, key, user.id);
      if (!snapshot || (await revokedReason(tx, key.saleorApiUrl, key.orderId))) continue;
      const [before] = await grantsOfOrder(tx, key.saleorApiUrl, key.orderId);
      const home = await homeOf(room, tx, snapshot, { granted: before?.organizationId, buyer: user });
      const { granted } = await grantLines(tx, snapshot, home);
      for (const outcome of granted) {
        const payload = creditsOf(outcome, snapshot, home.organizationId);
        if (payload) await addToOutbox(tx, { topic: creditsGranted, key: home.organizationId, payload });
      }
    }
  });
}

/**
 * Takes an order back: a tombstone against late events, its instances on their way to TERMINATED, and no credits of it left in line for billing (one
 * being delivered is waited for, so the clawback finds it). Told again, it answers the same. A charge that vanished before anything came of it leaves no
 * tombstone (`revoked` false): the buyer may pay again.
 */
export function revokeOrder(
  room: Room,
  input: { saleorApiUrl: string; orderId: string; reason: string },
): Promise<{ organizationId: Uuid | null; instanceIds: Uuid[]; topUpLines: string[]; revoked: boolean }> {
  return room.db.transaction(systemScope('revoke-order'), async (tx) => {
    await lockOrder(tx, input.saleorApiUrl, input.orderId);
    const granted = await grantsOfOrder(tx, input.saleorApiUrl, input.orderId);
    if (
      input.reason === 'CHARGED_BACK' &&
      granted.length === 0 &&
      !(await hasClaim(tx, input.saleorApiUrl, input.orderId))
    )
      return { organizationId: null, instanceIds: [], topUpLines: [], revoked: false };
    await insertRevoked(tx, input.saleorApiUrl, input.orderId, input.reason);
    await dropQueuedCredits(tx, creditsGranted, input);
    const instanceIds: Uuid[] = [];
    for (const { id } of await instancesOfOrder(tx, input)) {
      instanceIds.push(id);
      const instance = (await lockInstance(tx, id))!;
      const decision = decideChange(instance, { kind: 'terminate' });
      if (!decision.ok || !decision.value) continue;
      const changed = await writeDesired(tx, instance, decision.value);
      await addEvent(tx, changed, {
        kind: decision.value.kind,
        generation: changed.desiredGeneration,
        message: `order ${input.reason}`,
      });
      await queueForGit(tx, changed);
    }
    return {
      revoked: true,
      organizationId: granted[0]?.organizationId ?? null,
      instanceIds,
      topUpLines: granted.flatMap(({ outcome }) =>
        outcome.outcome === 'creditPack'
          ? [outcome.lineId]
          : outcome.outcome === 'instance' && outcome.planGrant
            ? [`${outcome.lineId}:plan`]
            : [],
      ),
    };
  });
}

/** The body of billing's top-up for a granted line; null when the line carries no credits. */
export function creditsOf(
  outcome: LineOutcome,
  snapshot: OrderSnapshot,
  organizationId: Uuid,
): object | null {
  const key = `saleor:${snapshot.order.id}:${outcome.lineId}`;
  const order = { saleorApiUrl: snapshot.saleorApiUrl, orderId: snapshot.order.id, lineId: outcome.lineId };
  const body = (
    kind: string,
    lineKey: string,
    grant: { credits: string; expiresAfterDays: number | null },
  ) => ({
    organizationId,
    kind,
    key: lineKey,
    credits: grant.credits,
    order,
    ...(grant.expiresAfterDays ? { expiresAfterDays: grant.expiresAfterDays } : {}),
  });
  if (outcome.outcome === 'creditPack') return body('PAID', key, outcome);
  if (outcome.outcome === 'instance' && outcome.planGrant)
    return body('PLAN', `${key}:plan`, outcome.planGrant);
  return null;
}

interface Home {
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
}

/**
 * Where the order's lines go: where its first line went, for ever; else the organization it names, if its buyer may buy for it; else the buyer's own
 * workspace. Only somebody known to be the shop's person whose order it is may name one. An e-mail address says less: the shop takes it from whoever
 * checks out, and puts the customer who has it on the order.
 */
async function homeOf(
  room: Room,
  tx: Tx,
  snapshot: OrderSnapshot,
  { granted, buyer }: { granted: Uuid | undefined; buyer: User | undefined },
): Promise<Home> {
  if (granted) {
    const [project] = await projectsOf(tx, granted);
    return { organizationId: granted, projectId: project!.id };
  }
  if (!buyer) throw new Error('an order without a buyer has no home');
  const isTheirs = snapshot.order.userId !== null && snapshot.order.userId === buyer.saleorUserId;
  const hint = isTheirs ? snapshot.order.metadata['agentstore.organizationId'] : undefined;
  const named =
    hint === undefined
      ? undefined
      : (fromGlobalId('Organization', hint) ?? (isUuid(hint) ? hint : undefined));
  const membership =
    named && (await membershipsOf(tx, buyer.id)).find(({ organizationId }) => organizationId === named);
  if (membership && permissionsOfRole[membership.role].includes('order:buy-for')) {
    const [project] = await projectsOf(tx, membership.organizationId);
    if (project) return { organizationId: membership.organizationId, projectId: project.id };
  }
  return ensureWorkspace(room, tx, buyer);
}

/** What became of every line, and which of them were granted now. */
async function grantLines(
  tx: Tx,
  snapshot: OrderSnapshot,
  home: Home,
): Promise<{ lines: LineOutcome[]; granted: LineOutcome[] }> {
  const before = new Map(
    (await grantsOfOrder(tx, snapshot.saleorApiUrl, snapshot.order.id)).map(({ outcome }) => [
      outcome.lineId,
      outcome,
    ]),
  );
  const [lines, granted]: [LineOutcome[], LineOutcome[]] = [[], []];
  for (const line of snapshot.order.lines) {
    let outcome = before.get(line.id);
    if (!outcome) {
      outcome =
        snapshot.held === undefined
          ? await grantLine(tx, snapshot, { line, home })
          : parkedAs(line.id, snapshot.held);
      if (outcome.outcome === 'parked') await parkLine(tx, snapshot, line, outcome.reason);
      else {
        await insertGrant(tx, snapshot, home.organizationId, outcome);
        granted.push(outcome);
      }
    }
    lines.push(outcome);
  }
  return { lines, granted };
}

async function grantLine(
  tx: Tx,
  snapshot: OrderSnapshot,
  { line, home }: { line: OrderLine; home: Home },
): Promise<LineOutcome> {
  const parked = (reason: string): LineOutcome => parkedAs(line.id, reason);
  if (!line.variantId) return parked('VARIANT_DELETED: the line has no product variant any more');
  const pack = await creditPackOf(tx, line.variantId);
  if (pack)
    return {
      lineId: line.id,
      outcome: 'creditPack',
      credits: (pack.credits * BigInt(line.quantity)).toString(),
      expiresAfterDays: pack.expiresAfterDays,
    };
  const plan = await planBy(tx, { variantId: line.variantId });
  if (!plan) return parked(`UNKNOWN_VARIANT: no plan or credit pack is bound to variant ${line.variantId}`);
  const version = await currentVersion(tx, plan.offeringId);
  if (!version) return parked('NO_PUBLISHED_VERSION: the offering has nothing to run');
  const instanceIds: string[] = [];
  for (let n = 1; n <= line.quantity; n++) {
    const { instance } = await requestInstance(tx, {
      ...home,
      offeringId: plan.offeringId,
      offeringVersionId: version.id,
      planId: plan.id,
      name: (line.metadata['agentstore.instanceName'] ?? plan.name).slice(0, 100),
      idempotencyKey: `saleor:${snapshot.order.id}:${line.id}${n > 1 ? `#${n}` : ''}`,
      order: { saleorApiUrl: snapshot.saleorApiUrl, orderId: snapshot.order.id, lineId: line.id },
    });
    instanceIds.push(instance.id);
  }
  const credits = plan.includedCredits * BigInt(line.quantity);
  return {
    lineId: line.id,
    outcome: 'instance',
    instanceIds,
    planGrant:
      credits > 0n ? { credits: credits.toString(), expiresAfterDays: plan.creditsExpireDays } : null,
  };
}
