import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './conversations/conversation.graphql.ts';
import './events/run-event.graphql.ts';
import './runs/run-commands.graphql.ts';
import './runs/run-rating.graphql.ts';
import './runs/run.graphql.ts';

/** The subgraph's executable schema with its federation fields. */
export const buildSchema = (): GraphQLSchema => builder.toSubGraphSchema({});
