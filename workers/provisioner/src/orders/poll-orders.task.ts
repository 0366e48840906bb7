import { z } from 'zod';
import { systemScope } from '@agentstore/kernel/access';
import { defineTask } from '@agentstore/kernel/queue';
import type { Room } from '../deps.ts';
import { markDue, pruneInbox } from './orders.store.ts';
import { movePollMark, pollMark } from './poll-marks.store.ts';
import { changedOrders } from './shop-client.ts';

/** Reads changed orders back from every registered shop; scheduled, so that one process does it however many run. */
export const pollShops = defineTask({ name: 'poll-shops', payload: z.object({}), retries: 0 });

const scope = systemScope('poll-orders');

/** Changes this much before the high-water mark are read again: the shop's clock and its commits are not ours. */
const overlapMs = 120_000;

/** Finds what no webhook told, shop by shop: one that fails keeps no other waiting. */
export async function pollOrders(room: Room): Promise<void> {
  for (const saleorApiUrl of room.allowedSaleorApiUrls)
    await pollShop(room, saleorApiUrl).catch((error: unknown) =>
      room.log.warn({ err: error, shop: saleorApiUrl }, 'shop not polled; the schedule goes on'),
    );
  await room.db.transaction(scope, (tx) => pruneInbox(tx, room.inboxDays));
}

/**
 * By `updatedAt` alone, since a refund lowers the charge status, and oldest change first: all that changed before the mark was then read, so the
 * mark may move with each page. An order that changes while pages are read moves behind them and is read again.
 */
async function pollShop(room: Room, saleorApiUrl: string): Promise<void> {
  const credentials = await room.apl.get(saleorApiUrl);
  const mark = await room.db.transaction(scope, (tx) => pollMark(tx, saleorApiUrl));
  if (!credentials || !mark) return;
  const since = new Date(mark.getTime() - overlapMs);
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof changedOrders>> = await changedOrders(credentials, {
      since,
      after,
    });
    await room.db.transaction(scope, async (tx) => {
      for (const { id, number, updatedAt } of page.orders)
        await markDue(tx, { saleorApiUrl, orderId: id, orderNumber: number, updatedAt });
      const last = page.orders.at(-1);
      if (last) await movePollMark(tx, saleorApiUrl, new Date(last.updatedAt));
    });
    after = page.next;
  } while (after);
}
