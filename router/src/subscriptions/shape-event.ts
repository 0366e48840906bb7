import type { GraphQLDataSource } from '@apollo/gateway';
import { executeQueryPlan } from '@apollo/gateway/dist/executeQueryPlan.js';
import { computeResponse } from '@apollo/gateway/dist/resultShaping.js';
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import type { ExecutionResult } from 'graphql';
import type { Log } from '@agentstore/kernel/log';
import { fragmentsOf, operationOf } from '../execution/admit-operation.ts';
import { cleaned } from '../execution/clean-answer.ts';
import type { Generation, Operation } from '../execution/engine.ts';
import type { OperationContext } from '../execution/operation-context.ts';
import type { SubscriptionPlan } from './plan-subscription.ts';

/** Name of the virtual subgraph that answers the primary fetch with the event at hand. */
const eventSource = '__event';

/** What is needed to turn an upstream event into what the client asked for. */
export interface Shaping {
  readonly at: Generation;
  readonly operation: Operation;
  readonly plan: SubscriptionPlan;
  readonly log: Log;
}

/**
 * An event as the client asked for it. Without joins it is cut to the selection (the planner asks for type names that the client may not have); with joins
 * the gateway's own executor runs the rest of the plan, and gets the event as the answer of its first fetch.
 */
export async function shapeEvent(
  event: ExecutionResult,
  { at, operation, plan, log }: Shaping,
  context: OperationContext,
): Promise<ExecutionResult> {
  const variables = operation.variables ?? {};
  if (!event.data) return cleaned(event, log);
  if (!plan.node.rest) {
    const { data } = computeResponse({
      operation: plan.operation,
      variables,
      input: event.data,
      introspectionHandling: () => null,
    });
    return cleaned({ ...(event.errors ? { errors: event.errors } : {}), data: data ?? null }, log);
  }
  const primary: FetchNode = { ...plan.node.primary, serviceName: eventSource };
  const whole: QueryPlan = {
    kind: 'QueryPlan',
    node: { kind: 'Sequence', nodes: [primary, plan.node.rest as PlanNode] },
  };
  const given: GraphQLDataSource<OperationContext> = { process: async () => event as never };
  const result = await executeQueryPlan(
    whole,
    { ...at.sources, [eventSource]: given } as never,
    { request: { variables }, context, logger: log, metrics: {} } as never,
    {
      schema: at.schema,
      operation: operationOf(operation.document, operation.operationName)!,
      fragments: Object.fromEntries(fragmentsOf(operation.document)),
    },
    at.schema,
    at.apiSchema,
  );
  return cleaned(result as ExecutionResult, log);
}
