import { ShopError } from './errors.ts';

/** Relay paging arguments. */
export interface PageArgs {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

/** One page in Saleor's shape; `totalCount` is asked only when selected. */
export interface Page<T> {
  readonly edges: readonly { readonly node: T; readonly cursor: string }[];
  readonly pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  readonly totalCount: number | (() => Promise<number>);
}

const most = 100;

/** Saleor refuses a list without `first` or `last`, and more than 100 at once. */
export function checkPage(connection: string, args: PageArgs): void {
  if (args.first == null && args.last == null)
    throw new ShopError(
      `You must provide a \`first\` or \`last\` value to properly paginate the \`${connection}\` connection.`,
    );
  for (const side of ['first', 'last'] as const) {
    const asked = args[side];
    if (asked == null) continue;
    if (asked < 0) throw new ShopError(`Argument '${side}' must be a non-negative integer.`);
    if (asked > most)
      throw new ShopError(
        `Requesting ${asked} records on the \`${connection}\` connection exceeds the \`${side}\` limit of ${most} records.`,
      );
  }
}

/** Cursors hold the sort key's values. */
export const toCursor = (values: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(values.map(String))).toString('base64');

export function fromCursor(cursor: string): string[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(cursor, 'base64').toString());
    if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values;
  } catch {
    // Not one of ours.
  }
  throw new ShopError('Received cursor is invalid.');
}

/** A page of a list that is wholly in memory, in its own order. */
export function pageOf<T>(
  connection: string,
  items: readonly T[],
  args: PageArgs & { keyOf: (item: T) => string },
): Page<T> {
  checkPage(connection, args);
  const cursor = (item: T): string => toCursor([args.keyOf(item)]);
  const indexOf = (text: string): number =>
    items.findIndex((item) => args.keyOf(item) === fromCursor(text)[0]);
  const from = args.after == null ? 0 : indexOf(args.after) + 1;
  const beforeIndex = args.before == null ? -1 : indexOf(args.before);
  const to = beforeIndex < 0 ? items.length : beforeIndex;
  const start = args.first == null && args.last != null ? Math.max(from, to - args.last) : from;
  const end = args.first == null ? to : Math.min(to, from + args.first);
  return assemble(items.slice(start, end), {
    cursor,
    before: start > 0,
    after: end < items.length,
    totalCount: items.length,
  });
}

export function assemble<T>(
  nodes: readonly T[],
  around: { cursor: (item: T) => string; before: boolean; after: boolean; totalCount: Page<T>['totalCount'] },
): Page<T> {
  const edges = nodes.map((node) => ({ node, cursor: around.cursor(node) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: around.after,
      hasPreviousPage: around.before,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: around.totalCount,
  };
}
