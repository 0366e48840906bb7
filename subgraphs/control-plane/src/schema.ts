import type { GraphQLSchema } from 'graphql';
import { builder } from './builder.ts';
import './references.graphql.ts';
import './offerings/offering.graphql.ts';
import './offerings/offering-version.graphql.ts';
import './organizations/organization.graphql.ts';
import './organizations/membership.graphql.ts';
import './api-keys/api-key.graphql.ts';
import './audit/audit-entry.graphql.ts';
import './facts/parked-fact.graphql.ts';
import './instances/instance.graphql.ts';
import './instances/instance-commands.graphql.ts';
import './widgets/widget.graphql.ts';
import './branding/branding.graphql.ts';
import './branding/branding-commands.graphql.ts';
import './connectors/connector.graphql.ts';
import './connectors/connector-commands.graphql.ts';
import './orders/parked-order.graphql.ts';

/** The subgraph's executable schema with its federation fields. */
export const buildSchema = (): GraphQLSchema => builder.toSubGraphSchema({});
