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

/** Plans of subscriptions, each made once per operation and supergraph. */
export interface SubscriptionPlanner {
  planOf(at: Generation, asked: Operation): SubscriptionPlan;
  /** Keeps a plan for who asks the same: to be called once a subgraph has taken its caller for one who may ask. */
  keep(at: Generation, asked: Operation, plan: SubscriptionPlan): void;
}

/** How many characters of operations have their plans kept: a plan takes a multiple of its operation. */
const keptCharacters = 262_144;

/** The plans of a supergraph go with it. */
export function createSubscriptionPlanner(): SubscriptionPlanner {
  const kept = new WeakMap<Generation, LRUCache<string, SubscriptionPlan>>();
  const keyOf = ({ document, operationName }: Operation): string =>
    `${textOf(document).hash} ${operationName ?? ''}`;
  return {
    planOf(at, asked) {
      const known = kept.get(at)?.get(keyOf(asked));
      if (known) return known;
      const { document, operationName } = asked;
      const operation = operationFromDocument(at.apiSchema, document, operationName ? { operationName } : {});
      const { node } = at.planner.buildQueryPlan(operation);
      if (node?.kind !== 'Subscription')
        throw new GraphQLError('The operation is not a subscription.', {
          extensions: { code: 'BAD_USER_INPUT' },
        });
      return { node, operation };
    },
    keep(at, asked, plan) {
      const plans = kept.get(at) ?? new LRUCache({ max: 500, maxSize: keptCharacters });
      kept.set(at, plans);
      plans.set(keyOf(asked), plan, { size: textOf(asked.document).text.length });
    },
  };
}
