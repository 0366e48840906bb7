import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './runs/run-parts.graphql.ts';
import './events/run-event.graphql.ts';
import './runs/run.graphql.ts';

/** The subgraph's executable schema with its federation fields. */
export const buildSchema = (): GraphQLSchema => builder.toSubGraphSchema({});
