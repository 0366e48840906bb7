import { has, mutate, type Requestor, type ShopContext } from './context.ts';
import { permissionDenied, refuse } from './errors.ts';
import { parseId, toId } from './global-id.ts';
import { payload } from './payload.ts';
import type { Permission } from './permissions.ts';
import type { InChannel, Kind, Metadata, Records, Stored } from './records.ts';
import type { WritableStore } from './store.ts';

/** What ObjectWithMetadata needs to know of any object, however its resolver passes it around. */
interface Carrier {
  readonly pk: string;
  readonly metadata: Metadata;
  readonly privateMetadata: Metadata;
}
type Source = Carrier | InChannel<Carrier>;
const carrierOf = (source: Source): Carrier => ('record' in source ? source.record : source);

/** Who may read private metadata of a type, and write it. */
const privateGuard: Readonly<Record<string, readonly Permission[]>> = {
  Product: ['MANAGE_PRODUCTS'],
  ProductVariant: ['MANAGE_PRODUCTS'],
  Category: ['MANAGE_PRODUCTS'],
  Warehouse: ['MANAGE_PRODUCTS'],
  ProductType: ['MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES'],
  Attribute: ['MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES'],
  Channel: ['MANAGE_CHANNELS'],
  Order: ['MANAGE_ORDERS'],
  OrderLine: ['MANAGE_ORDERS'],
  Checkout: ['MANAGE_CHECKOUTS'],
  CheckoutLine: ['MANAGE_CHECKOUTS'],
  TransactionItem: ['HANDLE_PAYMENTS'],
  User: ['MANAGE_USERS'],
  App: ['MANAGE_APPS'],
  Address: ['MANAGE_USERS'],
  Shop: ['MANAGE_SETTINGS'],
};

/** Who may write public metadata; a list of none is everybody. Buyers write an order's only while it is a checkout. */
const publicGuard: Readonly<Record<string, readonly Permission[]>> = {
  ...privateGuard,
  Order: ['MANAGE_ORDERS', 'HANDLE_TAXES'],
  OrderLine: ['MANAGE_ORDERS', 'HANDLE_TAXES'],
  Checkout: [],
  CheckoutLine: [],
};

/** The six fields of ObjectWithMetadata for one type; reading private ones without permission is an error on the field. */
export function metadataFields(type: string) {
  const readPrivate = async (source: Source, ctx: ShopContext): Promise<Metadata> => {
    const carrier = carrierOf(source);
    const requestor = await ctx.requestor();
    const ownApp = type === 'App' && requestor.kind === 'app' && requestor.app.pk === carrier.pk;
    if (!ownApp && !has(requestor, ...(privateGuard[type] ?? []))) throw permissionDenied();
    return carrier.privateMetadata;
  };
  return {
    metadata: (source: Source) => itemsOf(carrierOf(source).metadata),
    metafield: (source: Source, { key }: { key: string }) => carrierOf(source).metadata[key] ?? null,
    metafields: (source: Source, { keys }: { keys?: string[] | null }) =>
      pick(carrierOf(source).metadata, keys),
    privateMetadata: async (source: Source, _args: unknown, ctx: ShopContext) =>
      itemsOf(await readPrivate(source, ctx)),
    privateMetafield: async (source: Source, { key }: { key: string }, ctx: ShopContext) =>
      (await readPrivate(source, ctx))[key] ?? null,
    privateMetafields: async (source: Source, { keys }: { keys?: string[] | null }, ctx: ShopContext) =>
      pick(await readPrivate(source, ctx), keys),
  };
}

/** Saleor lists pairs by key. */
const itemsOf = (metadata: Metadata) =>
  Object.entries(metadata)
    .map(([key, value]) => ({ key, value }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

const pick = (metadata: Metadata, keys: readonly string[] | null | undefined): Metadata =>
  keys ? Object.fromEntries(Object.entries(metadata).filter(([key]) => keys.includes(key))) : metadata;

/** Pairs of an input as a map; an empty key is refused. */
export function fromInput(
  items: readonly { key: string; value: string }[] | null | undefined,
  field = 'input',
): Metadata {
  const pairs = items ?? [];
  if (pairs.some(({ key }) => key.trim() === ''))
    throw refuse(field, 'REQUIRED', 'Metadata key cannot be empty.');
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

type Change = (metadata: Metadata) => Metadata;

async function change(ctx: ShopContext, id: string, which: 'metadata' | 'privateMetadata', apply: Change) {
  const target = parseId(id);
  const guard = target && (which === 'metadata' ? publicGuard : privateGuard)[target.type];
  if (!target || !guard) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to an item: ${id}`);
  const requestor = await ctx.requestor();
  if (guard.length > 0 && !allowed(requestor, target, guard)) throw permissionDenied(...guard);
  return mutate(ctx, async (tx) => {
    const item = await changeIn(
      tx,
      target,
      (carrier) => ({ ...carrier, [which]: apply(carrier[which]) }),
      ctx.shop.now().toISOString(),
    );
    if (!item) throw refuse('id', 'NOT_FOUND', `Couldn't resolve to an item: ${id}`);
    if (target.type === 'Order' || target.type === 'OrderLine')
      await ctx.shop.emit(tx, { type: 'ORDER_UPDATED', order: item.holder.pk, issuedBy: requestor });
    return {
      item: {
        ...item.carrier,
        __typename: target.type,
        ...(item.wrap ? { record: item.carrier, channel: null } : {}),
      },
    };
  });
}

const allowed = (
  requestor: Requestor,
  target: { type: string; pk: string },
  guard: readonly Permission[],
): boolean =>
  has(requestor, ...guard) ||
  (target.type === 'App' && requestor.kind === 'app' && requestor.app.pk === target.pk) ||
  (target.type === 'User' && requestor.kind === 'user' && requestor.user.pk === target.pk);

const inChannel = new Set(['Product', 'ProductVariant']);
const lineHolder: Readonly<Record<string, 'Order' | 'Checkout'>> = {
  OrderLine: 'Order',
  CheckoutLine: 'Checkout',
};

/** Applies the change to a stored object, or to a line inside the order or checkout that holds it. */
async function changeIn(
  tx: WritableStore,
  target: { type: string; pk: string },
  apply: <T extends Carrier>(carrier: T) => T,
  now: string,
): Promise<{ carrier: Carrier; holder: Stored; wrap: boolean } | undefined> {
  const holderKind = lineHolder[target.type];
  if (holderKind) {
    const [row] = await tx.sql<{ pk: string }>(
      `-- holderOfLine
       select pk from document where kind = $1 and data -> 'lines' @> $2::jsonb`,
      [holderKind, JSON.stringify([{ pk: target.pk }])],
    );
    const holder = row && (await tx.lock(holderKind, row.pk));
    if (!holder) return undefined;
    const lines = holder.lines.map((line) => (line.pk === target.pk ? apply(line) : line));
    const next = { ...holder, lines, updatedAt: now } as Records[typeof holderKind];
    await tx.put(holderKind, next);
    const carrier = lines.find((line) => line.pk === target.pk)!;
    return { carrier: { ...carrier, ...lineContext(next) }, holder: next, wrap: false };
  }
  const kind = target.type as Kind;
  const record = await tx.lock(kind, target.pk);
  if (!record) return undefined;
  const next = { ...apply(record), updatedAt: now };
  await tx.put(kind, next);
  return { carrier: next, holder: next, wrap: inChannel.has(kind) };
}

const lineContext = (holder: Records['Order'] | Records['Checkout']) => ({
  currency: holder.currency,
  channelPk: holder.channel,
});

/** updateMetadata and its three siblings. */
export const metadataMutations = {
  updateMetadata: (
    _: unknown,
    args: { id: string; input: { key: string; value: string }[] },
    ctx: ShopContext,
  ) => payload(() => change(ctx, args.id, 'metadata', (old) => ({ ...old, ...fromInput(args.input) }))),
  updatePrivateMetadata: (
    _: unknown,
    args: { id: string; input: { key: string; value: string }[] },
    ctx: ShopContext,
  ) =>
    payload(() => change(ctx, args.id, 'privateMetadata', (old) => ({ ...old, ...fromInput(args.input) }))),
  deleteMetadata: (_: unknown, args: { id: string; keys: string[] }, ctx: ShopContext) =>
    payload(() => change(ctx, args.id, 'metadata', (old) => without(old, args.keys))),
  deletePrivateMetadata: (_: unknown, args: { id: string; keys: string[] }, ctx: ShopContext) =>
    payload(() => change(ctx, args.id, 'privateMetadata', (old) => without(old, args.keys))),
};

const without = (metadata: Metadata, keys: readonly string[]): Metadata =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !keys.includes(key)));

/** `id` of a stored object, for resolver maps. */
export const idField = (type: string) => ({ id: (source: Source) => toId(type, carrierOf(source).pk) });
