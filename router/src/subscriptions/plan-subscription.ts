import { operationFromDocument, type Operation as FederatedOperation } from '@apollo/federation-internals';
import type { SubscriptionNode } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { textOf } from '../execution/documents.ts';
import type { Generation, Operation } from '../execution/engine.ts';

/** A subscription split in two: the event stream of one subgraph (`primary`), and the joins into other subgraphs (`rest`), if there are any. */
export interface SubscriptionPlan {
  readonly node: SubscriptionNode;
  /** The client's operation on what clients see: gives each event the shape that was asked for. */
  readonly operation: FederatedOperation;
}

/** Plans subscriptions; a plan is made once per operation and supergraph. */
export function createSubscriptionPlanner(): (at: Generation, asked: Operation) => SubscriptionPlan {
  const plans = new LRUCache<string, SubscriptionPlan>({ max: 500 });
  return (at, { document, operationName }) => {
    const key = `${at.id} ${textOf(document).hash} ${operationName ?? ''}`;
    const known = plans.get(key);
    if (known) return known;
    const operation = operationFromDocument(at.apiSchema, document, operationName ? { operationName } : {});
    const { node } = at.planner.buildQueryPlan(operation);
    if (node?.kind !== 'Subscription')
      throw new GraphQLError('The operation is not a subscription.', {
        extensions: { code: 'BAD_USER_INPUT' },
      });
    const plan = { node, operation };
    plans.set(key, plan);
    return plan;
  };
}
