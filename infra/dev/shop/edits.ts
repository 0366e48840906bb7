import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import { payload } from './payload.ts';
import type { ChannelRecord, ProductRecord, VariantRecord } from './records.ts';
import type { WritableStore } from './store.ts';

/** Metadata as inputs carry it. */
export interface Pairs {
  metadata?: { key: string; value: string }[] | null;
  privateMetadata?: { key: string; value: string }[] | null;
}

const notFound = (id: string) => refuse('id', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);

export async function channelOf(tx: WritableStore, id: string): Promise<ChannelRecord> {
  const channel = await tx.get('Channel', pkOf('Channel', id));
  if (!channel) throw refuse('channelId', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
  return channel;
}

export async function lockProduct(tx: WritableStore, id: string): Promise<ProductRecord> {
  const product = await tx.lock('Product', pkOf('Product', id));
  if (!product) throw notFound(id);
  return product;
}

export async function lockVariant(
  tx: WritableStore,
  args: { id?: string | null; sku?: string | null },
): Promise<VariantRecord> {
  const pk = args.id
    ? pkOf('ProductVariant', args.id)
    : (await tx.find('ProductVariant', 'sku', args.sku ?? ''))[0]?.pk;
  const variant = pk && (await tx.lock('ProductVariant', pk));
  if (!variant) throw notFound(args.id ?? args.sku ?? '');
  return variant;
}

/** A record seen through no channel, as mutations answer it. */
export const asNode = <T>(record: T) => ({ record, channel: null });

/** A change of products or variants: it needs MANAGE_PRODUCTS and runs in one transaction. */
export const edit = <T extends object>(
  ctx: ShopContext,
  work: (tx: WritableStore, now: string) => Promise<T>,
) =>
  payload(async () => {
    await requirePermission(ctx, ['MANAGE_PRODUCTS']);
    return mutate(ctx, (tx) => work(tx, timestamp(ctx.shop)));
  });
