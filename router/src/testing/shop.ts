import { createSchema, createYoga } from 'graphql-yoga';
import { GraphQLError } from 'graphql';

/** The shop's schema as Saleor prints one: Federation 1, no @link. */
export const shopSdl = `
  type Product @key(fields: "id") { id: ID! name: String broken: String }
  input Filter { channel: String, ids: [ID], not: Filter }
  type Shop { name: String! }
  type Query { shop: Shop! me: User products(filter: Filter, ids: [ID]): String staffOnly: String }
  type User { id: ID! }
  type Mutation { tokenCreate(email: String): String accountRegister: String checkoutCreate: String }
`;

const shopSchema = createSchema({
  typeDefs: `directive @key(fields: String!) repeatable on OBJECT
    ${shopSdl}
    scalar _Any
    union _Entity = Product
    extend type Query { _entities(representations: [_Any!]!): [_Entity]! }`,
  resolvers: {
    Query: {
      shop: () => ({ name: 'Test shop' }),
      me: () => ({ id: 'VXNlcjox' }),
      products: (_root: unknown, args: object) => JSON.stringify(args),
      staffOnly: () => {
        throw new GraphQLError('You need one of the following permissions: MANAGE_ORDERS', {
          extensions: { exception: { code: 'PermissionDenied' } },
        });
      },
      _entities: (_root: unknown, { representations }: { representations: Record<string, string>[] }) => {
        const keys = representations.map(({ id }) => id);
        if (keys.length > 100 || new Set(keys).size !== keys.length) throw new GraphQLError('too many keys');
        return representations.map(({ id }) => ({ __typename: 'Product', id }));
      },
    },
    Mutation: { tokenCreate: () => 'token', accountRegister: () => 'made', checkoutCreate: () => 'made' },
    Product: {
      name: ({ id }: { id: string }) => (id === 'p3' ? null : `Product ${id}`),
      broken: ({ id }: { id: string }) => {
        if (id !== 'p1') return 'fine';
        throw new GraphQLError('no stock', { extensions: { exception: { code: 'StockError' } } });
      },
    },
  },
});

/** What the shop was asked. */
export interface ShopRequest {
  readonly headers: Headers;
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** A small shop with Saleor's limits: no literal null, no block strings, at most 100 different entities a call. `partly` up, it fails calls about p119. */
export function createShop() {
  const asked: ShopRequest[] = [];
  let mode: 'up' | 'partly' | 'down' | 'hang' = 'up';
  const yoga = createYoga({
    graphqlEndpoint: '/graphql/',
    logging: false,
    maskedErrors: false,
    schema: shopSchema,
  });
  const syntaxError = { message: 'Syntax Error', extensions: { exception: { code: 'GraphQLSyntaxError' } } };
  return {
    asked,
    be: (next: typeof mode): void => void (mode = next),
    async fetch(request: Request): Promise<Response> {
      if (mode === 'hang') return new Promise(() => undefined);
      const badGateway = () => new Response('<html>502</html>', { status: 502 });
      if (mode === 'down') return badGateway();
      const body = (await request.clone().json()) as { query: string; variables?: Record<string, unknown> };
      asked.push({ headers: request.headers, query: body.query, variables: body.variables ?? {} });
      if (mode === 'partly' && JSON.stringify(body.variables).includes('"p119"')) return badGateway();
      if (/\bnull\b|"""/.test(body.query)) return Response.json({ errors: [syntaxError] }, { status: 400 });
      return yoga.fetch(request, {});
    },
  };
}
