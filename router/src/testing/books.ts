import { GraphQLError } from 'graphql';
import { expect } from 'vitest';
import { AccessError } from '@agentstore/kernel/access';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import { createBuilder } from '@agentstore/kernel/graphql/builder';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { silentLog } from '@agentstore/kernel/log';
import { withReadiness } from './readiness.ts';

/** Books told to subscribers: what the test tells, each who listens hears from then on. */
function createTelling() {
  const listeners = new Set<(id: string | Error) => void>();
  return {
    /** Tells a book's id; an error breaks the streams off. */
    tell: (id: string | Error): void => listeners.forEach((hear) => hear(id)),
    /** Waits until so many listen. */
    async waitFor(count: number): Promise<void> {
      await expect.poll(() => listeners.size).toBe(count);
    },
    async *hear(signal: AbortSignal): AsyncGenerator<{ id: string }> {
      const queue: (string | Error)[] = [];
      let wake = (): void => undefined;
      const hear = (id: string | Error): void => {
        queue.push(id);
        wake();
      };
      listeners.add(hear);
      signal.addEventListener('abort', () => wake());
      try {
        while (!signal.aborted) {
          const next = queue.shift();
          if (next instanceof Error) throw next;
          if (next !== undefined) yield { id: next };
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        listeners.delete(hear);
      }
    },
  };
}

type BooksDeps = { readonly telling: ReturnType<typeof createTelling> };
const builder = createBuilder<BooksDeps>();
const BookRef = builder.objectRef<{ id: string }>('Book').implement({
  fields: (t) => ({ id: t.exposeID('id'), title: t.string({ resolve: ({ id }) => `Title of ${id}` }) }),
});
builder.asEntity(BookRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

interface NoticeRow {
  readonly runId: string;
  readonly seq: number;
}
const NoticeRef = builder.interfaceRef<NoticeRow>('Notice').implement({
  resolveType: () => 'Told',
  fields: (t) => ({ runId: t.exposeID('runId'), seq: t.exposeInt('seq') }),
});
builder.objectRef<NoticeRow>('Told').implement({
  interfaces: [NoticeRef],
  fields: (t) => ({ loud: t.boolean({ resolve: () => true }) }),
});

builder.queryType({
  fields: (t) => ({
    books: t.field({
      type: [BookRef],
      args: { first: t.arg.int({ required: false, defaultValue: 2 }) },
      resolve: (_root, { first }) => Array.from({ length: first ?? 2 }, (_, n) => ({ id: `b${n}` })),
    }),
    book: t.field({
      type: BookRef,
      nullable: true,
      args: { id: t.arg.id({}) },
      resolve: (_root, { id }) => (id === 'none' ? null : { id }),
    }),
    caller: t.string({ resolve: (_root, _args, { caller }) => JSON.stringify(caller) }),
    headers: t.string({
      resolve: (_root, _args, { request }) => JSON.stringify(Object.fromEntries(request.headers)),
    }),
    forbidden: t.string({
      nullable: true,
      resolve: () => {
        throw new AccessError('FORBIDDEN', 'This needs the permission book:read.');
      },
    }),
    coded: t.string({
      nullable: true,
      resolve: () => {
        throw new GraphQLError('There is no such book.', {
          extensions: { code: 'NOT_FOUND', secret: 'select * from book' },
        });
      },
    }),
    broken: t.string({
      nullable: true,
      resolve: () => {
        throw new Error('connection to 10.0.0.7:5432 refused');
      },
    }),
    never: t.string({ nullable: true, resolve: () => new Promise<string>(() => undefined) }),
  }),
});
builder.mutationType({
  fields: (t) => ({
    bookAdd: t.field({ type: BookRef, args: { id: t.arg.id({}) }, resolve: (_root, { id }) => ({ id }) }),
  }),
});
builder.subscriptionType({
  fields: (t) => ({
    bookTold: t.field({
      type: BookRef,
      subscribe: (_root, _args, { deps, request }) => deps.telling.hear(request.signal),
      resolve: (book) => book,
    }),
    noticed: t.field({
      type: NoticeRef,
      args: { runId: t.arg.id({}), after: t.arg.int({ required: false, defaultValue: 0 }) },
      subscribe: async function* (_root, { runId, after }) {
        for (let seq = (after ?? 0) + 1; seq <= 4; seq++) yield { runId, seq };
      },
      resolve: (notice: NoticeRow) => notice,
    }),
    refusedStream: t.field({
      type: BookRef,
      subscribe: (): AsyncGenerator<{ id: string }> => {
        throw new GraphQLError('There is no such stream.', { extensions: { code: 'NOT_FOUND' } });
      },
      resolve: (book: { id: string }) => book,
    }),
  }),
});

/** A subgraph of books, by the house's own builder and handler. */
export function createBooks(authenticate: Authenticator) {
  const schema = builder.toSubGraphSchema({});
  const telling = createTelling();
  const handle = createGraphqlHandler({ schema, deps: { telling }, authenticate, log: silentLog });
  return { schema, telling, fetch: withReadiness(handle) };
}
