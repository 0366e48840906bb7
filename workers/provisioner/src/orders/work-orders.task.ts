import { z } from 'zod';
import { systemScope } from '@agentstore/kernel/access';
import { ServiceError, UnavailableError } from '@agentstore/kernel/http/client';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import { defineTask } from '@agentstore/kernel/queue';
import type { Room } from '../deps.ts';
import {
  claimDue,
  markDue,
  movePollMark,
  noteOutcome,
  noteRetry,
  pollMark,
  type OrderKey,
} from './orders.store.ts';
import { settleOrder } from './settle-order.ts';
import { changedOrders, ShopError } from './shop-client.ts';

const scope = systemScope('orders');

/** Works due orders off, a few at a time; the bell makes it at once, the sweep makes it certain. */
export function startOrderWork(room: Room): Loop {
  const stop = new AbortController();
  const loop = startLoop({ name: 'orders', log: room.log, everyMs: 2_000, work: round });
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

  async function round(): Promise<boolean> {
    const due = await room.db.transaction(scope, (tx) => claimDue(tx, 10));
    await Promise.all(due.map(settle));
    return due.length > 0;
  }

  async function settle(order: OrderKey & { attempts: number }): Promise<void> {
    try {
      const settled = await settleOrder(room, order);
      room.log.info({ order: order.orderId, ...settled }, 'order settled');
      await room.db.transaction(scope, (tx) => noteOutcome(tx, order, settled));
    } catch (error) {
      const transient =
        error instanceof UnavailableError || !(error instanceof ServiceError || error instanceof ShopError);
      const reason = error instanceof ServiceError ? error.code : transient ? 'UNAVAILABLE' : 'SHOP_ERROR';
      room.log.warn(
        { err: error, order: order.orderId, attempts: order.attempts },
        transient ? 'order is tried again' : 'order parked',
      );
      await room.db.transaction(scope, (tx) =>
        transient
          ? noteRetry(tx, order, reason)
          : noteOutcome(tx, order, {
              state: 'PARKED',
              reason: `${reason}: ${(error as Error).message.slice(0, 300)}`,
            }),
      );
    }
  }
}

/** Reads changed orders back from every registered shop; scheduled, so that one process does it however many run. */
export const pollShops = defineTask({ name: 'poll-shops', payload: z.object({}), retries: 0 });

/** Changes this much before the high-water mark are read again: the shop's clock and its commits are not ours. */
const overlapMs = 120_000;

/** Finds what no webhook told: orders by their `updatedAt` alone, since a refund lowers the charge status. */
export async function pollOrders(room: Room): Promise<number> {
  let found = 0;
  for (const { saleorApiUrl, token } of await room.apl.getAll()) {
    const mark = await room.db.transaction(scope, (tx) => pollMark(tx, saleorApiUrl));
    const since = new Date((mark ?? new Date(Date.now() - 24 * 3_600_000)).getTime() - overlapMs);
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof changedOrders>> = await changedOrders(
        { saleorApiUrl, token },
        { since, after },
      );
      await room.db.transaction(scope, async (tx) => {
        for (const order of page.orders) {
          await markDue(tx, {
            saleorApiUrl,
            orderId: order.id,
            orderNumber: order.number,
            updatedAt: order.updatedAt,
          });
          await movePollMark(tx, saleorApiUrl, new Date(order.updatedAt));
        }
      });
      found += page.orders.length;
      after = page.next;
    } while (after);
  }
  return found;
}
