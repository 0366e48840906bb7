import { operationFromDocument } from '@apollo/federation-internals';
import type { GraphQLDataSource } from '@apollo/gateway';
import { executeQueryPlan } from '@apollo/gateway/dist/executeQueryPlan.js';
import type { FetchNode, PlanNode, QueryPlan, SubscriptionNode } from '@apollo/query-planner';
import { GraphQLError, Kind, type ExecutionResult, type FragmentDefinitionNode } from 'graphql';
import { LRUCache } from './lru-cache.ts';
import type { Deps } from '../deps.ts';
import { cleaned, operationOf, type Engine, type Generation, type Operation } from '../execution/engine.ts';
import { operationContext, type OperationContext } from '../execution/operation-context.ts';
import { eventStream } from './event-stream.ts';

/** Name of the virtual subgraph that answers the primary fetch with the event at hand. */
const eventSource = '__event';

/** Follows a subscription; ends with its upstream, with the caller's credential, or when the signal aborts. */
export type Subscriber = (operation: Operation) => Promise<AsyncGenerator<ExecutionResult> | ExecutionResult>;

/**
 * Subscriptions over the federated graph. The planner splits one into its primary, an event stream of one subgraph of ours, and the rest, the joins
 * into other subgraphs. Per event the rest runs on the gateway's own executor, whose plan gets the event as the answer of its first fetch; a
 * subscription without joins is passed on as it comes.
 */
export function createSubscriber(deps: Deps, engine: Engine): Subscriber {
  const plans = new LRUCache<SubscriptionNode>(500);

  return async (operation) => {
    const at = engine.current();
    const node = operationOf(operation.document, operation.operationName)!;
    if (
      node.selectionSet.selections.some((one) =>
        one.directives?.some(({ name }) => name.value === 'skip' || name.value === 'include'),
      )
    )
      return refuse('A subscription cannot skip or include its root field.', 'BAD_USER_INPUT');
    const plan = planOf(at, operation);
    const client = deps.subgraphs[plan.primary.serviceName];
    if (!client) return refuse('This subscription is not served here.', 'BAD_USER_INPUT');
    const stopping = new AbortController();
    const signal = AbortSignal.any([operation.context.signal, stopping.signal]);
    const answer = await client.fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: await operation.context.bearerFor(client.name),
      },
      body: JSON.stringify({
        query: plan.primary.operation,
        variables: used(operation.variables, plan.primary),
      }),
      signal,
    });
    if (!answer.headers.get('content-type')?.includes('text/event-stream')) {
      const { errors } = (await answer.json().catch(() => ({}))) as { errors?: GraphQLError[] };
      return cleaned({
        errors: errors ?? [
          new GraphQLError('The subscription was refused.', { extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }),
        ],
      });
    }
    return follow({ at, operation, plan, body: answer.body!, stop: () => stopping.abort() });
  };

  function planOf(at: Generation, operation: Operation): SubscriptionNode {
    const key = `${at.id} ${operation.operationName ?? ''} ${operation.document.loc?.source.body ?? ''}`;
    const known = plans.get(key);
    if (known) return known;
    const named = operation.operationName ? { operationName: operation.operationName } : {};
    const { node } = at.planner.buildQueryPlan(
      operationFromDocument(at.apiSchema, operation.document, named),
    );
    if (node?.kind !== 'Subscription')
      throw new GraphQLError('The operation is not a subscription.', {
        extensions: { code: 'BAD_USER_INPUT' },
      });
    plans.set(key, node);
    return node;
  }

  async function* follow(run: {
    at: Generation;
    operation: Operation;
    plan: SubscriptionNode;
    body: ReadableStream<Uint8Array>;
    stop: () => void;
  }): AsyncGenerator<ExecutionResult> {
    const { identity } = run.operation.context;
    let expired = false;
    const timer =
      identity.expiresAt === undefined
        ? undefined
        : setTimeout(
            () => ((expired = true), run.stop()),
            Math.min(identity.expiresAt - Date.now(), 2_147_000_000),
          );
    try {
      for await (const { event, data } of eventStream(run.body)) {
        if (event === 'complete') return;
        if (event !== 'next') continue;
        const result = JSON.parse(data) as ExecutionResult;
        if (!run.plan.rest || !result.data) yield cleaned(result);
        else yield await join(run, result);
      }
    } catch (error) {
      if (expired)
        yield refuse('The token has expired; sign in again and go on with the last seq.', 'UNAUTHENTICATED');
      else if (!run.operation.context.signal.aborted) {
        deps.log.warn({ err: error }, 'upstream of a subscription was lost');
        yield refuse('The stream was lost; open it again with the last seq.', 'SUBGRAPH_UNAVAILABLE');
      }
    } finally {
      clearTimeout(timer);
      run.stop();
    }
  }

  /** Runs the rest of the plan for one event, with internal tokens signed anew: a subscription outlives the minute they are good for. */
  async function join(
    run: { at: Generation; operation: Operation; plan: SubscriptionNode },
    event: ExecutionResult,
  ): Promise<ExecutionResult> {
    const { at, operation, plan } = run;
    const context = operationContext({
      identity: operation.context.identity,
      sign: deps.signInternal,
      signal: operation.context.signal,
    });
    const primary: FetchNode = { ...plan.primary, serviceName: eventSource };
    const whole: QueryPlan = {
      kind: 'QueryPlan',
      node: { kind: 'Sequence', nodes: [primary, plan.rest as PlanNode] },
    };
    const given: GraphQLDataSource<OperationContext> = { process: async () => event as never };
    const fragments = Object.fromEntries(
      operation.document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
        one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
      ),
    );
    const requestContext = {
      request: { variables: operation.variables ?? {} },
      context,
      logger: deps.log,
      metrics: {},
    };
    const result = await executeQueryPlan(
      whole,
      { ...at.sources, [eventSource]: given } as never,
      requestContext as never,
      { schema: at.schema, operation: operationOf(operation.document, operation.operationName)!, fragments },
      at.schema,
      at.apiSchema,
    );
    return cleaned(result as ExecutionResult);
  }
}

const refuse = (message: string, code: string): ExecutionResult => ({
  errors: [new GraphQLError(message, { extensions: { code } })],
});

const used = (
  variables: Record<string, unknown> | undefined,
  { variableUsages }: FetchNode,
): Record<string, unknown> =>
  Object.fromEntries(
    (variableUsages ?? [])
      .filter((name) => variables && name in variables)
      .map((name) => [name, variables![name]]),
  );
