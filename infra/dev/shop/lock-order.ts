import { refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import type { OrderRecord } from './records.ts';
import type { WritableStore } from './store.ts';

/** An order by its id, locked; refused when there is none. */
export async function lockOrder(tx: WritableStore, id: string): Promise<OrderRecord> {
  const order = await tx.lock('Order', pkOf('Order', id));
  if (!order) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
  return order;
}
