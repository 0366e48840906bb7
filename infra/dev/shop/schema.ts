import { GraphQLScalarType, type GraphQLSchema } from 'graphql';
import { accountMutations, accountQueries, accountTypes } from './accounts.ts';
import { addressTypes } from './addresses.ts';
import { appMutations, appQueries, appTypes } from './apps.ts';
import { attributeMutations, attributeQueries, attributeTypes } from './attributes.ts';
import { buildSchema } from './build-schema.ts';
import { catalogueMutations, catalogueQueries, catalogueTypes } from './catalogue.ts';
import { checkoutTypes } from './checkout-types.ts';
import { checkoutMutations, checkoutQueries } from './checkouts.ts';
import type { ShopContext } from './context.ts';
import { productMutations } from './edit-products.ts';
import { stockMutations } from './edit-stocks.ts';
import { variantMutations } from './edit-variants.ts';
import { federationQueries } from './federation.ts';
import { metadataMutations } from './metadata.ts';
import { orderMutations, orderQueries, orderTypes } from './orders.ts';
import { productTypeMutations, productTypeQueries, productTypeTypes } from './product-types.ts';
import { productQueries, productTypes } from './products.ts';
import { PythonFloat } from './python-json.ts';
import { scalars } from './scalars.ts';
import { hiddenSdl, shopSdl } from './sdl.ts';
import { shopMutations, shopQueries, shopTypes } from './shop-info.ts';
import { transactionTypes } from './transaction-types.ts';
import { transactionMutations, transactionQueries } from './transactions.ts';
import { eventTypes } from './webhooks.ts';

type RootField = (root: unknown, args: never, ctx: ShopContext) => unknown;

/** Fields that never look at who asks, so that even an expired own token gets an answer. */
const unguarded = new Set(['shop', '_service', 'tokenCreate', 'tokenRefresh', 'tokenVerify']);

/** Judges the requestor before the field's own work: a bad own token is then an error on every root field. */
function guarded(fields: Readonly<Record<string, RootField>>): Record<string, RootField> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, resolve]): [string, RootField] => [
      name,
      unguarded.has(name)
        ? resolve
        : async (root, args, ctx) => {
            await ctx.requestor();
            return resolve(root, args, ctx);
          },
    ]),
  );
}

const resolvers = {
  ...scalars,
  ...accountTypes,
  ...addressTypes,
  ...appTypes,
  ...attributeTypes,
  ...catalogueTypes,
  ...checkoutTypes,
  ...eventTypes,
  ...orderTypes,
  ...productTypes,
  ...productTypeTypes,
  ...shopTypes,
  ...transactionTypes,
  Query: guarded({
    ...accountQueries,
    ...appQueries,
    ...attributeQueries,
    ...catalogueQueries,
    ...checkoutQueries,
    ...federationQueries,
    ...orderQueries,
    ...productQueries,
    ...productTypeQueries,
    ...shopQueries,
    ...transactionQueries,
  }),
  Mutation: guarded({
    ...accountMutations,
    ...appMutations,
    ...attributeMutations,
    ...catalogueMutations,
    ...checkoutMutations,
    ...metadataMutations,
    ...orderMutations,
    ...productMutations,
    ...productTypeMutations,
    ...shopMutations,
    ...stockMutations,
    ...transactionMutations,
    ...variantMutations,
  }),
};

/** The schema that is served. */
export const buildShopSchema = (): GraphQLSchema => buildSchema(shopSdl + hiddenSdl, resolvers);

/**
 * The same schema with every `Float` told apart from an `Int` in the answer, so that a webhook body can be printed as Python prints it
 * (`49.0`). Only webhook queries run on it.
 */
export function buildPayloadSchema(): GraphQLSchema {
  const PythonFloatType = new GraphQLScalarType({
    name: 'PythonFloat',
    serialize: (value) => new PythonFloat(Number(value)),
  });
  const sdl = (shopSdl + hiddenSdl).replace(/\bFloat\b/g, 'PythonFloat');
  return buildSchema(`${sdl}\nscalar PythonFloat`, { ...resolvers, PythonFloat: PythonFloatType });
}
