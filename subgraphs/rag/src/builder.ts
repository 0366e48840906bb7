import { createBuilder } from '@agentstore/kernel/graphql/builder';
import { connectionTypes } from '@agentstore/kernel/graphql/connection-types';
import type { Room } from './deps.ts';

/** The one schema builder of this subgraph; each `*.graphql.ts` adds its noun. */
export const builder = createBuilder<Room>();
export const connection = connectionTypes(builder);

builder.queryType({ description: 'Reads.' });
builder.mutationType({ description: 'Commands. Each has one input and answers the thing and its errors.' });
builder.subscriptionType({ description: 'Follows.' });
