import { GraphQLError } from 'graphql';
import { isUuid } from '../ids.ts';

/** A page of a relay connection (Cursor Connections spec §4), as our `…Connection` types resolve it. */
export interface Page<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  readonly totalCount: number | null;
}

/** What a store needs to read a page: rows after this key, one more than asked for tells whether there are more. */
export interface PageRequest {
  readonly first: number;
  readonly afterKey: string | null;
}

/** The most nodes of one page; Saleor answers at most 100 entities a call. */
export const maxPageSize = 100;

/** What a list is sorted by and its cursors hold: rows' ids, or a sequence number (bigint, from 0). */
export type CursorKey = 'uuid' | 'seq';

const isKey: Readonly<Record<CursorKey, (text: string) => boolean>> = {
  uuid: isUuid,
  seq: (text) => /^(0|[1-9]\d{0,18})$/.test(text) && BigInt(text) <= 9_223_372_036_854_775_807n,
};

/** Checks `first` (1..100, default 20) and `after`, which must be a cursor of a list with that key. Throws BAD_USER_INPUT. */
export function pageRequest(
  args: { first?: number | null | undefined; after?: string | null | undefined },
  key: CursorKey = 'uuid',
): PageRequest {
  const first = args.first ?? 20;
  if (first < 1 || first > maxPageSize) throw badInput(`first must be between 1 and ${maxPageSize}.`);
  if (args.after == null) return { first, afterKey: null };
  const afterKey = Buffer.from(args.after, 'base64url').toString();
  if (!isKey[key](afterKey)) throw badInput('after is not a cursor of this list.');
  return { first, afterKey };
}

/** A page from rows read with `limit first + 1`; `keyOf` gives the sort key (a UUID or a sequence number). */
export function pageOf<T>(
  rows: readonly T[],
  request: PageRequest,
  keyOf: (row: T) => string,
  totalCount: number | null = null,
): Page<T> {
  const edges = rows
    .slice(0, request.first)
    .map((node) => ({ node, cursor: Buffer.from(keyOf(node)).toString('base64url') }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > request.first,
      hasPreviousPage: request.afterKey !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount,
  };
}

const badInput = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
