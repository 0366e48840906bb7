import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './documents/document-commands.graphql.ts';
import './documents/document.graphql.ts';
import './knowledge-bases/knowledge-base-commands.graphql.ts';
import './knowledge-bases/knowledge-base.graphql.ts';
import './search/search.graphql.ts';

/** The subgraph's executable schema with its federation fields. */
export const buildSchema = (): GraphQLSchema => builder.toSubGraphSchema({});
