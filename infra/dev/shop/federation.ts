import { has, type ShopContext } from './context.ts';
import { internalError, ShopError } from './errors.ts';
import { pkOf } from './global-id.ts';
import { shows, showsVariant, viewOf, inView } from './listings.ts';
import type { Kind, Records } from './records.ts';
import { writtenAsLiteral } from './scalars.ts';
import { shopSdl } from './sdl.ts';

/** One entity key as a gateway sends it. */
type Representation = Readonly<Record<string, unknown>> & { readonly __typename: string };
type Resolve = (keys: readonly Representation[], ctx: ShopContext) => Promise<(object | null)[]>;

const most = 100;

/** Key members by entity type. Any other member, and any other type, breaks the whole call. */
const entities: Readonly<Record<string, { keys: readonly string[]; resolve: Resolve }>> = {
  App: { keys: ['id'], resolve: byId('App', (app, ctx) => ownOr(ctx, 'app', app.pk, 'MANAGE_APPS')) },
  Address: {
    keys: ['id'],
    resolve: byId('Address', (address, ctx) => ownOr(ctx, 'user', address.user, 'MANAGE_USERS')),
  },
  Category: { keys: ['id'], resolve: byId('Category', () => Promise.resolve(true)) },
  ProductType: { keys: ['id'], resolve: byId('ProductType', () => Promise.resolve(true)) },
  Order: {
    keys: ['id'],
    resolve: byId('Order', (order, ctx) => ownOr(ctx, 'user', order.user, 'MANAGE_ORDERS')),
  },
  User: { keys: ['id', 'email'], resolve: users },
  Group: { keys: ['id'], resolve: (keys) => Promise.resolve(keys.map((key) => (idOf('Group', key), null))) },
  Product: { keys: ['id', 'channel'], resolve: products },
  ProductVariant: { keys: ['id', 'channel'], resolve: variants },
};

const idOf = (type: string, key: Representation): string => pkOf(type, String(key['id']));

function byId<K extends Kind>(
  kind: K,
  visible: (record: Records[K], ctx: ShopContext) => Promise<boolean>,
): Resolve {
  return async (keys, ctx) => {
    const pks = keys.map((key) => idOf(kind, key));
    const found = await ctx.store.many(kind, pks);
    return Promise.all(
      pks.map(async (pk) => {
        const record = found.get(pk);
        return record && (await visible(record, ctx)) ? { __typename: kind, ...record } : null;
      }),
    );
  };
}

/** The owner sees it, and whoever holds the permission. */
async function ownOr(
  ctx: ShopContext,
  kind: 'user' | 'app',
  owner: string | null,
  permission: 'MANAGE_APPS' | 'MANAGE_USERS' | 'MANAGE_ORDERS',
): Promise<boolean> {
  const requestor = await ctx.requestor();
  if (has(requestor, permission)) return true;
  if (kind === 'app') return requestor.kind === 'app' && requestor.app.pk === owner;
  return requestor.kind === 'user' && requestor.user.pk === owner;
}

async function users(keys: readonly Representation[], ctx: ShopContext): Promise<(object | null)[]> {
  const pks = keys.map((key) => (key['id'] === undefined ? undefined : idOf('User', key)));
  return Promise.all(
    keys.map(async (key, at) => {
      const pk = pks[at];
      const user =
        pk === undefined
          ? (await ctx.store.find('User', 'email', String(key['email'])))[0]
          : await ctx.store.get('User', pk);
      return user && (await ownOr(ctx, 'user', user.pk, 'MANAGE_USERS'))
        ? { __typename: 'User', ...user }
        : null;
    }),
  );
}

/** Without a channel only staff and apps see catalogue entities; no default channel is taken here. */
async function keyView(ctx: ShopContext, key: Representation) {
  const slug = key['channel'] as string | null | undefined;
  const requestor = await ctx.requestor();
  if (
    slug == null &&
    !has(requestor, 'MANAGE_PRODUCTS', 'MANAGE_ORDERS', 'MANAGE_CHECKOUTS', 'MANAGE_DISCOUNTS')
  )
    return undefined;
  return viewOf(ctx, slug);
}

async function products(keys: readonly Representation[], ctx: ShopContext): Promise<(object | null)[]> {
  const found = await ctx.store.many(
    'Product',
    keys.map((key) => idOf('Product', key)),
  );
  return Promise.all(
    keys.map(async (key) => {
      const [view, product] = [await keyView(ctx, key), found.get(idOf('Product', key))];
      return view && product && shows(view, product)
        ? { __typename: 'Product', ...inView(view, product) }
        : null;
    }),
  );
}

async function variants(keys: readonly Representation[], ctx: ShopContext): Promise<(object | null)[]> {
  const found = await ctx.store.many(
    'ProductVariant',
    keys.map((key) => idOf('ProductVariant', key)),
  );
  return Promise.all(
    keys.map(async (key) => {
      const [view, variant] = [await keyView(ctx, key), found.get(idOf('ProductVariant', key))];
      const product = variant && (await ctx.store.get('Product', variant.product));
      return view && product && showsVariant(view, product, variant)
        ? { __typename: 'ProductVariant', ...inView(view, variant) }
        : null;
    }),
  );
}

/** Saleor resolves type by type and hands the answers back in that order: a call that mixes types gets them out of place. */
async function resolveEntities(
  representations: readonly (Representation | typeof writtenAsLiteral)[],
  ctx: ShopContext,
): Promise<(object | null)[]> {
  if (representations.length > most)
    throw new ShopError(
      `Federated query exceeded entity limit: ${representations.length} items requested over ${most}.`,
    );
  const groups = new Map<string, Representation[]>();
  for (const key of representations) {
    if (key === writtenAsLiteral || typeof key !== 'object' || key === null) throw internalError('TypeError');
    const group = groups.get(key.__typename);
    if (group) group.push(key);
    else groups.set(key.__typename, [key]);
  }
  const answers: (object | null)[] = [];
  for (const [type, keys] of groups) {
    const entity = entities[type];
    if (!entity) throw internalError('KeyError');
    const known = ['__typename', ...entity.keys];
    if (keys.some((key) => Object.keys(key).some((member) => !known.includes(member))))
      throw internalError('TypeError');
    answers.push(...(await entity.resolve(keys, ctx)));
  }
  return answers;
}

export const federationQueries = {
  _entities: (
    _: unknown,
    args: {
      representations?:
        readonly (Representation | typeof writtenAsLiteral)[] | typeof writtenAsLiteral | null;
    },
    ctx: ShopContext,
  ) => {
    if (args.representations === writtenAsLiteral) throw internalError('TypeError');
    return resolveEntities(args.representations ?? [], ctx);
  },
  _service: () => ({ sdl: shopSdl }),
};
