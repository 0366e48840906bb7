import { systemScope } from '@agentstore/kernel/access';
import { ServiceError, UnavailableError } from '@agentstore/kernel/http/client';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
import { isDefinite } from './definite.ts';
import { claimDue, noteOutcome, noteRetry, type ClaimedOrder } from './orders.store.ts';
import { settleOrder, type Settled } from './settle-order.ts';
import { ShopError } from './shop-client.ts';
import { tellParkedOrders } from './tell-parked-orders.ts';

const scope = systemScope('orders');

/** Works due orders off, a few at a time; the bell makes it at once, the sweep makes it certain. */
export function startOrderWork(room: Room): Loop {
  const stop = new AbortController();
  const loop = startLoop({ name: 'orders', log: room.log, everyMs: 2_000, work: () => workOrders(room) });
  void (async () => {
    for await (const _bell of room.orderChanges.follow('order', stop.signal)) loop.wake();
  })();
  return {
    wake: () => loop.wake(),
    async stop() {
      stop.abort();
      await loop.stop();
    },
  };
}

/** One round: settles what is due and says what operators are to see. True when there was something due. */
export async function workOrders(room: Room): Promise<boolean> {
  const due = await room.db.transaction(scope, (tx) => claimDue(tx, 10));
  await Promise.all(due.map((order) => settle(room, order)));
  await tellParkedOrders(room);
  return due.length > 0;
}

async function settle(room: Room, order: ClaimedOrder): Promise<void> {
  let settled: Settled;
  try {
    settled = await settleOrder(room, order);
    room.log.info({ order: order.orderId, ...settled }, 'order settled');
  } catch (error) {
    const reason = reasonOf(error);
    room.log.warn(
      { err: error, order: order.orderId, attempts: order.attempts },
      isDefinite(error) ? 'order parked' : 'order is tried again',
    );
    if (!isDefinite(error)) {
      await room.db.transaction(scope, (tx) => noteRetry(tx, order, reason));
      return;
    }
    settled = { state: 'PARKED', reason };
  }
  const { parkedRetrySeconds } = room;
  await room.db.transaction(scope, (tx) => noteOutcome(tx, order, { ...settled, parkedRetrySeconds }));
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code =
    error instanceof ServiceError || error instanceof ShopError
      ? error.code
      : error instanceof UnavailableError
        ? 'UNAVAILABLE'
        : 'FAULT';
  return `${code}: ${message.slice(0, 300)}`;
}
