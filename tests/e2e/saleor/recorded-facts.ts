import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { recordedJson } from '../../../infra/dev/shop/testing/recorded.ts';

/** Who asked, in the words of `entities.json`. */
export type Requestor = string;
export const anonymous: Requestor = 'anonymous';
export const owner: Requestor = 'customer (owner of the order)';
export const someoneElse: Requestor = 'customer (someone else)';
export const appWithPermissions: Requestor = 'app token (MANAGE_ORDERS, MANAGE_PRODUCTS)';

export type Fields = Readonly<Record<string, unknown>>;
/** An entity's key as a gateway sends it. */
export type Key = Fields & { readonly __typename: string };

/** A GraphQL answer as recorded. */
export interface RecordedAnswer {
  readonly data?: Fields | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly exception: { readonly code: string } };
  }[];
}

export interface EntityCase {
  readonly case: string;
  readonly query: string;
  readonly representations: readonly Key[] | { readonly repeat: number; readonly of: Key } | null;
  readonly answers: Readonly<
    Record<Requestor, { readonly httpStatus: number; readonly body: RecordedAnswer }>
  >;
}

export interface HttpCase {
  readonly case: string;
  readonly auth: string | null;
  readonly request: unknown;
  readonly httpStatus: number;
  readonly body: RecordedAnswer;
}

/** `http.json` calls the requestors by shorter names. */
export const requestorNamed = (auth: string | null): Requestor =>
  ({ customer: owner, 'other customer': someoneElse, 'app token': appWithPermissions })[auth ?? ''] ??
  anonymous;

/** The keys of a recorded call, written out. */
export const keysOf = ({ representations }: EntityCase): readonly Key[] | undefined =>
  representations === null || !('repeat' in representations)
    ? (representations ?? undefined)
    : Array.from({ length: representations.repeat }, () => representations.of);

/** Saleor answers a call type by type, in the order in which the types appear first. */
export const byType = <T extends { readonly __typename: string }>(keys: readonly T[]): T[] =>
  [...Map.groupBy(keys, ({ __typename }) => __typename).values()].flat();

/** What the recordings say of one shop. */
export interface RecordedFacts {
  readonly entityCases: readonly EntityCase[];
  readonly httpCases: readonly HttpCase[];
  /** Null for what this requestor is not shown, and for what the recordings do not know. */
  entity(who: Requestor, key: Key): Fields | null;
  /** The recorded order as `order(id)` shows it to whoever knows its id; undefined for another id. */
  order(id: unknown): Fields | undefined;
  /** Why nothing at all is answered to this requestor (a token of Saleor's own that does not hold); undefined for all others. */
  refusal(who: Requestor): { readonly message: string; readonly code: string } | undefined;
}

/**
 * Reads `entities.json` and `http.json`. Whether somebody is shown an entity under a key is exactly as recorded for them. A public field that was recorded for
 * one requestor only (a product's name, metadata) is shown to all who are shown its entity; private metadata stays with whom it was recorded for.
 */
export function recordedFacts(): RecordedFacts {
  const entityCases = recordedJson<{ cases: EntityCase[] }>('entities.json').cases;
  const httpCases = recordedJson<{ cases: HttpCase[] }>('http.json').cases;
  const shown = new Map<string, Fields | null>();
  const publicFields = new Map<string, Fields>();
  const refusals = new Map<Requestor, { message: string; code: string }>();
  const orders = new Map<unknown, Fields>();
  const place = (who: Requestor, key: Key): string => `${who} ${canonicalJson(key)}`;

  for (const one of entityCases)
    for (const [who, { body }] of Object.entries(one.answers)) {
      const answered = body.data?.['_entities'];
      const [error] = body.errors ?? [];
      if (error && who.startsWith('own JWT'))
        refusals.set(who, { message: error.message, code: error.extensions.exception.code });
      // The lists of 100 are kept as their first entry, which other cases hold too.
      if (error || !Array.isArray(answered)) continue;
      byType(keysOf(one) ?? []).forEach((key, index) => {
        const entity = answered[index] as Fields | null;
        const before = shown.get(place(who, key));
        shown.set(place(who, key), entity && { ...before, ...entity });
        if (!entity) return;
        const { channel: _channel, privateMetadata: _private, ...open } = entity;
        publicFields.set(String(entity['id']), { ...publicFields.get(String(entity['id'])), ...open });
      });
    }
  for (const { body } of httpCases) {
    const order = body.data?.['order'] as Fields | null | undefined;
    if (order) orders.set(order['id'], { ...orders.get(order['id']), ...order, __typename: 'Order' });
  }

  return {
    entityCases,
    httpCases,
    entity(who, key) {
      const own = shown.get(place(who, key));
      return own ? { ...orders.get(own['id']), ...publicFields.get(String(own['id'])), ...own } : null;
    },
    order: (id) => orders.get(id),
    refusal: (who) => refusals.get(who),
  };
}
