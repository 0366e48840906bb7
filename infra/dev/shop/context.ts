import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { AppRecord, UserRecord } from './records.ts';
import type { Permission } from './permissions.ts';
import { permissionDenied } from './errors.ts';
import { inTransaction, type Store, type WritableStore } from './store.ts';
import type { SigningKey } from './keys.ts';

/** Who a request is from, after all headers were judged. */
export type Requestor =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly user: UserRecord; readonly permissions: ReadonlySet<Permission> }
  | { readonly kind: 'app'; readonly app: AppRecord; readonly permissions: ReadonlySet<Permission> };

export const anonymous: Requestor = { kind: 'anonymous' };

/** Trust in tokens of an OpenID Connect issuer. */
export interface OidcPlugin {
  /** The customer behind a bearer token that is not the shop's own; anonymous, silently, for whatever cannot be judged. */
  authenticate(token: string): Promise<Requestor>;
  /** Forgets the cached keys and userinfo answers, as a restart does. */
  clearCaches(): void;
}

/** What the shop is made of; one per running shop. */
export interface Shop {
  readonly database: Database;
  readonly log: Log;
  readonly key: SigningKey;
  readonly oidc: OidcPlugin;
  /** `http://host:port`, no slash at the end; tokens, signatures and headers name it. */
  readonly origin: string;
  readonly apiUrl: string;
  readonly now: () => Date;
  /** Queues the deliveries of one event inside the transaction that caused it. */
  readonly emit: (tx: WritableStore, event: ShopEvent) => Promise<void>;
  /** Wakes the sender after a commit. */
  readonly wakeDeliveries: () => void;
  /** Starts what the shop does on its own after an appInstall. */
  readonly startInstallation: (pk: string) => void;
}

/** Something that webhooks tell about; `order` is read at the time of the event. */
export interface ShopEvent {
  readonly type:
    | 'ORDER_CREATED'
    | 'ORDER_UPDATED'
    | 'ORDER_PAID'
    | 'ORDER_FULLY_PAID'
    | 'ORDER_REFUNDED'
    | 'ORDER_FULLY_REFUNDED'
    | 'ORDER_CANCELLED';
  readonly order: string;
  readonly issuedBy: Requestor;
}

/** The context of one GraphQL request. */
export interface ShopContext {
  readonly shop: Shop;
  readonly store: Store;
  /** Judged at the first field that looks at the requestor, once; a bad own token throws there. */
  readonly requestor: () => Promise<Requestor>;
}

/** ISO time of the shop's clock. */
export const timestamp = (shop: Shop): string => shop.now().toISOString();

/** True when the requestor holds one of the permissions. */
export const has = (requestor: Requestor, ...anyOf: readonly Permission[]): boolean =>
  requestor.kind !== 'anonymous' && anyOf.some((permission) => requestor.permissions.has(permission));

/** The requestor, if it holds one of the permissions; else Saleor's sentence is thrown, `also` completing its list. */
export async function requirePermission(
  ctx: ShopContext,
  anyOf: readonly Permission[],
  also: readonly string[] = [],
): Promise<Requestor> {
  const requestor = await ctx.requestor();
  if (!has(requestor, ...anyOf)) throw permissionDenied(...anyOf, ...also);
  return requestor;
}

/** True for staff and apps that may see products whatever their channel or publication. */
export const seesWholeCatalogue = (requestor: Requestor): boolean =>
  has(
    requestor,
    'MANAGE_PRODUCTS',
    'MANAGE_ORDERS',
    'MANAGE_CHECKOUTS',
    'MANAGE_DISCOUNTS',
    'MANAGE_GIFT_CARD',
    'MANAGE_MENUS',
    'MANAGE_PAGES',
  );

/** Runs a mutation's work in one transaction, then lets the request read what it wrote. */
export async function mutate<T>(ctx: ShopContext, work: (tx: WritableStore) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(ctx.shop.database, work);
  } finally {
    ctx.store.forget();
    ctx.shop.wakeDeliveries();
  }
}
