import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError, type ExecutionResult } from 'graphql';
import { maskError } from '@agentstore/kernel/graphql/server';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Deps } from '../deps.ts';
import { refusalsOf } from '../execution/admit-operation.ts';
import { cleaned } from '../execution/clean-answer.ts';
import type { Engine, Operation } from '../execution/engine.ts';
import { orAborted } from '../execution/or-aborted.ts';
import { eventStream } from './event-stream.ts';
import { leavable } from './leavable.ts';
import { createSubscriptionPlanner, type SubscriptionPlan } from './plan-subscription.ts';
import { shapeEvent, type Shaping } from './shape-event.ts';
import { stayAuthorized } from './stay-authorized.ts';

/** Subscriptions over the federated graph. */
export interface Subscriber {
  /**
   * Follows a subscription; ends with its upstream, with the caller's credential, when the signal aborts, or when its reader leaves, at once in each case.
   * Never throws: what goes wrong is a coded error, before the first event or as the last.
   */
  subscribe(operation: Operation): Promise<AsyncGenerator<ExecutionResult> | ExecutionResult>;
  /** Ends what is being followed with GOING_AWAY and takes no more. Resolves when the readers have got it, or after a second. */
  stop(): Promise<void>;
}

type Upstream = ReadableStreamDefaultReader<Uint8Array>;

/** One subscription under way. */
interface Following extends Shaping {
  readonly reader: Upstream;
  /** Aborts when the client has left or `end` was called. */
  readonly signal: AbortSignal;
  /** Ends it, with an error for the client or silently; the first reason holds. */
  end(reason?: GraphQLError): void;
  reason(): GraphQLError | undefined;
  /** Settled when its reader has got the last of it. */
  readonly read: PromiseWithResolvers<void>;
}

const farewellMs = 1_000;

/**
 * The planner splits a subscription into its primary, an event stream of one subgraph of ours, and the rest, the joins into other subgraphs.
 * The primary comes as server-sent events over the same client as every other question; per event the rest is executed.
 */
export function createSubscriber(deps: Deps, engine: Engine): Subscriber {
  const planner = createSubscriptionPlanner();
  const active = new Set<Following>();
  let stopped = false;

  async function open(operation: Operation): Promise<AsyncGenerator<ExecutionResult> | ExecutionResult> {
    const at = engine.current();
    const { context } = operation;
    if (stopped) return { errors: [goingAway()] };
    const refusals = refusalsOf(operation, {
      schema: at.schema,
      caller: context.identity.caller,
      introspection: deps.introspection,
    });
    if (refusals.length) return { errors: refusals };
    const plan = planner.planOf(at, operation);
    const client = deps.subgraphs[plan.node.primary.serviceName];
    if (!client) return { errors: [coded('BAD_USER_INPUT', 'This subscription is not served here.')] };
    const stopping = new AbortController();
    const signal = AbortSignal.any([context.signal, stopping.signal]);
    const answer = await askForEvents(client, { operation, plan, signal, stop: () => stopping.abort() });
    if (!('reader' in answer)) return answer;
    let reason: GraphQLError | undefined;
    const run: Following = {
      at,
      operation,
      plan,
      log: deps.log,
      reader: answer.reader,
      signal,
      reason: () => reason,
      read: Promise.withResolvers(),
      end(given) {
        if (!signal.aborted) reason = given;
        stopping.abort();
      },
    };
    active.add(run);
    // A stream of this process does not end with the request's signal, one over HTTP does.
    const close = (): void => {
      active.delete(run);
      answer.reader.cancel().catch(() => undefined);
    };
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
    return leavable(follow(run), () => run.end());
  }

  /** Opens the primary; an answer that is no stream is the client's whole answer. */
  async function askForEvents(
    client: ServiceClient,
    asked: { operation: Operation; plan: SubscriptionPlan; signal: AbortSignal; stop: () => void },
  ): Promise<{ reader: Upstream } | ExecutionResult> {
    const { operation, plan, signal } = asked;
    const { primary } = plan.node;
    const late = setTimeout(asked.stop, deps.subgraphDeadlineMs);
    try {
      const asking = client.fetch('/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: await operation.context.bearerFor(client.name),
        },
        body: JSON.stringify({
          query: primary.operation,
          variables: usedVariables(operation.variables, primary),
        }),
        signal,
      });
      const answer = await orAborted(asking, signal);
      if (answer.headers.get('content-type')?.includes('text/event-stream') && answer.body)
        return { reader: answer.body.getReader() as Upstream };
      const { errors } = (await answer.json()) as { errors?: GraphQLError[] };
      if (errors?.length) return cleaned({ errors }, deps.log);
      throw new Error(`${client.name} answered ${answer.status} without a stream`);
    } catch (error) {
      if (!operation.context.signal.aborted)
        deps.log.warn({ err: error, subgraph: client.name }, 'a subscription could not be opened');
      return { errors: [lost('The stream cannot be opened now. Try again.')] };
    } finally {
      clearTimeout(late);
    }
  }

  async function* follow(run: Following): AsyncGenerator<ExecutionResult> {
    const authorized = stayAuthorized(run.operation.context, deps.streams.recheckMs, run.end);
    const reader = heardWithin(deps.streams.silenceMs, run.reader, () =>
      run.end(lost('The stream fell silent; open it again with the last seq.')),
    );
    let fault: unknown;
    let completed = false;
    try {
      for await (const { event, data } of eventStream(reader)) {
        completed = event === 'complete';
        if (completed) break;
        if (event !== 'next') continue;
        const told = JSON.parse(data) as ExecutionResult;
        if (told.data) planner.keep(run.at, run.operation, run.plan);
        yield await shapeEvent(told, run, authorized.context().resigned());
      }
    } catch (error) {
      fault = error;
    } finally {
      authorized.stop();
    }
    const ended = run.signal.aborted;
    run.end();
    const reason = run.reason();
    if (reason) yield { errors: [reason] };
    else if (!completed && !ended) {
      deps.log.warn({ err: fault, subgraph: run.plan.node.primary.serviceName }, 'a stream was lost');
      yield { errors: [lost('The stream was lost; open it again with the last seq.')] };
    }
    run.read.resolve();
  }

  return {
    async subscribe(operation) {
      try {
        return await open(operation);
      } catch (error) {
        return { errors: [maskError(error, deps.log) as GraphQLError] };
      }
    },
    async stop() {
      stopped = true;
      const readers = [...active].map((run) => {
        run.end(goingAway());
        return run.read.promise;
      });
      await Promise.race([Promise.all(readers), sleep(farewellMs, undefined, { ref: false })]);
    },
  };
}

/** A reader that calls `silent` when upstream says nothing for so long, not even a comment: its connection may be dead without an end. */
const heardWithin = (silenceMs: number, upstream: Upstream, silent: () => void): Pick<Upstream, 'read'> => ({
  async read() {
    const timer = setTimeout(silent, silenceMs);
    try {
      return await upstream.read();
    } finally {
      clearTimeout(timer);
    }
  },
});

const coded = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });
const lost = (message: string): GraphQLError => coded('SUBGRAPH_UNAVAILABLE', message);
const goingAway = (): GraphQLError =>
  coded('GOING_AWAY', 'The router is being stopped; open the stream again with the last seq.');

const usedVariables = (
  variables: Record<string, unknown> | undefined,
  { variableUsages }: FetchNode,
): Record<string, unknown> =>
  Object.fromEntries(
    (variableUsages ?? [])
      .filter((name) => variables && name in variables)
      .map((name) => [name, variables![name]]),
  );
