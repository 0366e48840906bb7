import type { SqlValue } from '@agentstore/kernel/db/database';
import { pkOf } from './global-id.ts';
import { assemble, checkPage, fromCursor, toCursor, type Page, type PageArgs } from './pages.ts';
import type { OrderRecord } from './records.ts';
import type { Store } from './store.ts';

interface OneOf {
  readonly eq?: string | number | null;
  readonly oneOf?: readonly (string | number)[] | null;
}
interface TimeRange {
  readonly gte?: string | null;
  readonly lte?: string | null;
}

/** The filters of `orders(where:)` that the subset has. */
export interface OrderWhere {
  readonly ids?: readonly string[] | null;
  readonly number?: OneOf | null;
  readonly channelId?: OneOf | null;
  readonly createdAt?: TimeRange | null;
  readonly updatedAt?: TimeRange | null;
  readonly user?: OneOf | null;
  readonly userEmail?: OneOf | null;
  readonly authorizeStatus?: OneOf | null;
  readonly chargeStatus?: OneOf | null;
  readonly status?: OneOf | null;
  readonly checkoutId?: OneOf | null;
  readonly metadata?: { readonly key: string } | null;
  readonly AND?: readonly OrderWhere[] | null;
  readonly OR?: readonly OrderWhere[] | null;
}

/** What a list of orders is sorted by. */
export interface OrderSort {
  readonly field: string;
  readonly direction: 'ASC' | 'DESC';
}

const columns: Readonly<Record<string, string>> = {
  NUMBER: 'n',
  CREATED_AT: "(data ->> 'created')",
  CREATION_DATE: "(data ->> 'created')",
  LAST_MODIFIED_AT: "(data ->> 'updatedAt')",
  CUSTOMER: "(data ->> 'userEmail')",
  STATUS: "(data ->> 'status')",
};

/** One page of orders, newest number first unless sorted; cursors hold the sort value and the key, so pages stay put while orders move. */
export async function pageOfOrders(
  store: Store,
  args: PageArgs & { where?: OrderWhere | null; sortBy?: OrderSort | null; user?: string },
): Promise<Page<OrderRecord>> {
  checkPage('orders', args);
  const sort = args.sortBy ?? { field: 'NUMBER', direction: 'DESC' };
  const column = columns[sort.field] ?? 'n';
  const values: SqlValue[] = [];
  const bind = (value: SqlValue): string => `$${values.push(value)}`;
  const filter = [`kind = 'Order'`, whereSql(args.where ?? {}, bind)];
  if (args.user !== undefined) filter.push(`data ->> 'user' = ${bind(args.user)}`);
  const counted = { text: filter.join(' and '), values: [...values] };

  const backwards = args.first == null;
  const seek = (cursor: string, ahead: boolean): string => {
    const [value, pk] = fromCursor(cursor);
    const up = (sort.direction === 'ASC') === ahead;
    const typed = column === 'n' ? `${bind(value ?? '0')}::bigint` : bind(value ?? '');
    return `(${column}, pk) ${up ? '>' : '<'} (${typed}, ${bind(pk ?? '')})`;
  };
  if (args.after != null) filter.push(seek(args.after, true));
  if (args.before != null) filter.push(seek(args.before, false));
  const limit = (args.first ?? args.last ?? 0) + 1;
  const direction = (sort.direction === 'ASC') !== backwards ? 'asc' : 'desc';
  const rows = await store.sql<{ pk: string; sorted: string; data: OrderRecord }>(
    `-- pageOfOrders
     select pk, ${column}::text as sorted, data from document where ${filter.join(' and ')}
     order by ${column} ${direction}, pk ${direction} limit ${bind(limit)}`,
    values,
  );
  const more = rows.length === limit;
  const shown = rows.slice(0, limit - 1);
  if (backwards) shown.reverse();
  const keys = new Map(shown.map((row) => [row.pk, row.sorted]));
  return assemble(
    shown.map((row) => row.data),
    {
      cursor: (order) => toCursor([keys.get(order.pk) ?? '', order.pk]),
      before: backwards ? more : args.after != null,
      after: backwards ? args.before != null : more,
      totalCount: async () => {
        const [row] = await store.sql<{ count: number }>(
          `-- countOrders\n select count(*)::int as count from document where ${counted.text}`,
          counted.values,
        );
        return row?.count ?? 0;
      },
    },
  );
}

type Bind = (value: SqlValue) => string;

function whereSql(where: OrderWhere, bind: Bind): string {
  const parts = [
    where.ids && `pk = any (${bind(where.ids.map((id) => pkOf('Order', id)))})`,
    oneOf('n::text', where.number, bind),
    oneOf("data ->> 'channel'", withPks('Channel', where.channelId), bind),
    oneOf("data ->> 'user'", withPks('User', where.user), bind),
    oneOf("data ->> 'userEmail'", where.userEmail, bind),
    oneOf("data ->> 'status'", where.status, bind),
    oneOf("data ->> 'chargeStatus'", where.chargeStatus, bind),
    oneOf("data ->> 'checkout'", withPks('Checkout', where.checkoutId), bind),
    oneOf(authorizeStatusSql, where.authorizeStatus, bind),
    within("(data ->> 'created')::timestamptz", where.createdAt, bind),
    within('updated_at', where.updatedAt, bind),
    where.metadata && `data -> 'metadata' ? ${bind(where.metadata.key)}`,
    where.AND?.length && where.AND.map((part) => `(${whereSql(part, bind)})`).join(' and '),
    where.OR?.length && `(${where.OR.map((part) => `(${whereSql(part, bind)})`).join(' or ')})`,
  ].filter((part): part is string => typeof part === 'string' && part !== '');
  return parts.length ? parts.join(' and ') : 'true';
}

const authorizeStatusSql = `case when (data ->> 'charged')::bigint + (data ->> 'authorized')::bigint >= (data ->> 'total')::bigint then 'FULL'
  when (data ->> 'charged')::bigint + (data ->> 'authorized')::bigint > 0 then 'PARTIAL' else 'NONE' end`;

const withPks = (type: string, filter: OneOf | null | undefined): OneOf | null | undefined =>
  filter && {
    ...(filter.eq == null ? {} : { eq: pkOf(type, String(filter.eq)) }),
    ...(filter.oneOf ? { oneOf: filter.oneOf.map((id) => pkOf(type, String(id))) } : {}),
  };

function oneOf(column: string, filter: OneOf | null | undefined, bind: Bind): string {
  if (!filter) return '';
  const parts = [
    filter.eq == null ? '' : `${column} = ${bind(String(filter.eq))}`,
    filter.oneOf ? `${column} = any (${bind(filter.oneOf.map(String))})` : '',
  ];
  return parts.filter(Boolean).join(' and ');
}

function within(column: string, range: TimeRange | null | undefined, bind: Bind): string {
  const parts = [
    range?.gte ? `${column} >= ${bind(range.gte)}` : '',
    range?.lte ? `${column} <= ${bind(range.lte)}` : '',
  ];
  return parts.filter(Boolean).join(' and ');
}
