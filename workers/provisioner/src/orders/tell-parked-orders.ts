import { systemScope } from '@agentstore/kernel/access';
import type { Room } from '../deps.ts';
import { noteTold, untoldOrders } from './orders.store.ts';

const scope = systemScope('orders');

/** Tells the control plane, whose graph operators read, which orders wait for somebody and why, and which no longer do. */
export async function tellParkedOrders(room: Room): Promise<void> {
  for (const order of await room.db.transaction(scope, (tx) => untoldOrders(tx, 20))) {
    try {
      await room.controlPlane.call('POST', '/integrations/saleor/order-parked', order);
    } catch (error) {
      room.log.warn({ err: error, order: order.orderId }, 'a parked order could not be told of; it will be');
      return;
    }
    await room.db.transaction(scope, (tx) => noteTold(tx, order));
  }
}
