import type { GatewayGraphQLResponse } from '@apollo/server-gateway-interface';
import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import { maskError } from '@agentstore/kernel/graphql/server';
import type { Log } from '@agentstore/kernel/log';
import type { Deps } from '../deps.ts';
import { askSubgraph, type Answer } from './ask-subgraph.ts';
import type { OperationContext } from './operation-context.ts';
import { entityCalls, inSaleorsWords, isEntityQuery } from './saleor-dialect.ts';

type Asked = GraphQLDataSourceProcessOptions<OperationContext>;

/** A subgraph of ours: sees the caller in an internal token signed for it alone. */
export class OwnSource implements GraphQLDataSource<OperationContext> {
  readonly #client: ServiceClient;
  /** Only the mutations of the control plane can change who a caller is. */
  readonly #ownsMemberships: boolean;
  readonly #deadlineMs: number;
  readonly #log: Log;
  constructor(client: ServiceClient, deps: Pick<Deps, 'controlPlane' | 'subgraphDeadlineMs' | 'log'>) {
    this.#client = client;
    this.#ownsMemberships = client.name === deps.controlPlane.name;
    this.#deadlineMs = deps.subgraphDeadlineMs;
    this.#log = deps.log;
  }

  async process({ request, context }: Asked): Promise<GatewayGraphQLResponse> {
    const { bearerFor, changed, signal } = context as OperationContext;
    const authorization = await bearerFor(this.#client.name).catch((error: unknown) => {
      // After a mutation it is asked again who the caller is: they may have ended their own credential.
      throw maskError(error, this.#log);
    });
    try {
      const answer = await askSubgraph(this.#client, '/graphql', {
        headers: { authorization },
        body: { query: request.query, variables: request.variables },
        deadlineMs: this.#deadlineMs,
        signal,
      });
      return answer as GatewayGraphQLResponse;
    } catch (error) {
      if (!signal.aborted)
        this.#log.warn({ err: error, subgraph: this.#client.name }, 'subgraph unavailable');
      throw unavailable('A part of the store', 'SUBGRAPH_UNAVAILABLE', error);
    } finally {
      // Also after a lost answer: it may have been done.
      if (this.#ownsMemberships && request.query?.startsWith('mutation')) changed();
    }
  }
}

/** Saleor: sees the buyer's own token and never one of ours; asked in its own dialect; its absence nulls its fields and leaves ours. */
export class SaleorSource implements GraphQLDataSource<OperationContext> {
  readonly #client: ServiceClient;
  readonly #path: string;
  readonly #deadlineMs: number;
  readonly #log: Log;
  readonly #schema: () => GraphQLSchema;
  constructor(deps: Pick<Deps, 'saleorApiUrl' | 'subgraphDeadlineMs' | 'log'>, schema: () => GraphQLSchema) {
    const url = new URL(deps.saleorApiUrl);
    this.#client = createServiceClient({ name: 'saleor', baseUrl: url.origin });
    this.#path = url.pathname;
    this.#deadlineMs = deps.subgraphDeadlineMs;
    this.#log = deps.log;
    this.#schema = schema;
  }

  async process({ request, context }: Asked): Promise<GatewayGraphQLResponse> {
    const { identity, signal } = context as OperationContext;
    const { query, variables } = inSaleorsWords(request.query ?? '', request.variables ?? {}, this.#schema());
    const send = (sent: Readonly<Record<string, unknown>>) =>
      askSubgraph(this.#client, this.#path, {
        headers: identity.userToken ? { authorization: `Bearer ${identity.userToken}` } : {},
        body: { query, variables: sent },
        deadlineMs: this.#deadlineMs,
        signal,
      });
    try {
      if (!isEntityQuery(query)) return (await send(variables)) as GatewayGraphQLResponse;
      const { calls, place, paths } = entityCalls(variables['representations'] as Record<string, unknown>[]);
      const settled = await Promise.allSettled(
        calls.map((call) => send({ ...variables, representations: call })),
      );
      const lost = settled.find((one) => one.status === 'rejected');
      if (lost && settled.every(({ status }) => status === 'rejected')) throw lost.reason;
      if (lost && !signal.aborted) this.#log.warn({ err: lost.reason as Error }, 'Saleor answered in part');
      const answers = settled.map((one, call) =>
        one.status === 'fulfilled' ? one.value : unanswered(calls[call]!.length, one.reason),
      );
      const errors = answers.flatMap((answer, call) =>
        (answer.errors ?? []).flatMap((error) => {
          const places = error.path ? paths(call, error.path) : [];
          return places.length ? places.map((path) => ({ ...error, path })) : [error];
        }),
      );
      const entities = place(
        answers.map((answer) => (answer.data?.['_entities'] as unknown[] | null | undefined) ?? null),
      );
      return {
        data: { _entities: entities },
        ...(errors.length ? { errors } : {}),
      } as unknown as GatewayGraphQLResponse;
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ err: error }, 'Saleor unavailable');
      throw unavailable('The shop', 'SALEOR_UNAVAILABLE', error);
    }
  }
}

/** The answer in place of one of the shop's that did not come: each entity asked for has the error at its place. */
function unanswered(entities: number, cause: unknown): Answer {
  const { message, extensions } = unavailable('The shop', 'SALEOR_UNAVAILABLE', cause);
  return {
    errors: Array.from({ length: entities }, (_, index) => ({
      message,
      extensions,
      path: ['_entities', index],
    })),
  };
}

const unavailable = (who: string, code: string, cause: unknown): GraphQLError =>
  new GraphQLError(`${who} cannot be reached now. Try again.`, {
    extensions: { code },
    originalError: cause as Error,
  });
