import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './ledger/ledger-entry.graphql.ts';
import './references.graphql.ts';
import './wallets/wallet-adjust.graphql.ts';
import './wallets/wallet.graphql.ts';

/** The subgraph's executable schema with its federation fields. */
export const buildSchema = (): GraphQLSchema => builder.toSubGraphSchema({});
