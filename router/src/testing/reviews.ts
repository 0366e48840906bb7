import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import { createBuilder } from '@agentstore/kernel/graphql/builder';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { silentLog } from '@agentstore/kernel/log';
import { withReadiness } from './readiness.ts';

const builder = createBuilder<object>();
const ProductRef = builder.objectRef<{ id: string }>('Product').implement({
  fields: (t) => ({ id: t.exposeID('id'), stars: t.int({ resolve: () => 5 }) }),
});
builder.asEntity(ProductRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

/** How many products there are; books beyond share them, so that the shop would be asked for duplicates. */
const products = 120;
const BookRef = builder.objectRef<{ id: string }>('Book').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    rating: t.int({ resolve: ({ id }) => id.length }),
    rater: t.string({ resolve: (_book, _args, { caller }) => caller.kind }),
    product: t.field({
      type: ProductRef,
      nullable: true,
      resolve: ({ id }) => ({ id: `p${Number(id.replace(/\D/g, '') || 0) % products}` }),
    }),
  }),
});
builder.asEntity(BookRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});
builder.queryType({ fields: (t) => ({ reviews: t.int({ resolve: () => 7 }) }) });

/** A subgraph that adds ratings to the other's books, and points at products of the shop. */
export function createReviews(authenticate: Authenticator) {
  const schema = builder.toSubGraphSchema({});
  const handle = createGraphqlHandler({ schema, deps: {}, authenticate, log: silentLog });
  return { schema, fetch: withReadiness(handle) };
}
