import type { GatewayGraphQLResponse } from '@apollo/server-gateway-interface';
import type { GraphQLDataSource, GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { createServiceClient, type ServiceClient } from '@agentstore/kernel/http/client';
import type { Deps } from '../deps.ts';
import type { OperationContext } from './operation-context.ts';
import { entityCalls, inSaleorsWords } from './saleor-dialect.ts';

type Answer = {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
};

/** Asks one subgraph one query: JSON over its service client, in process or by undici, with a deadline. */
async function ask(
  client: ServiceClient,
  path: string,
  request: { headers: Record<string, string>; body: object; deadlineMs: number; signal: AbortSignal },
): Promise<Answer> {
  const answer = await client.fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...request.headers },
    body: JSON.stringify(request.body),
    deadlineMs: request.deadlineMs,
    signal: request.signal,
  });
  const text = await answer.text();
  if (answer.status >= 500) throw new Error(`it answered ${answer.status}`);
  return JSON.parse(text) as Answer;
}

/** A subgraph of ours: sees the caller in an internal token signed for it alone. */
export class OwnSource implements GraphQLDataSource<OperationContext> {
  readonly #client: ServiceClient;
  readonly #deadlineMs: number;
  constructor(client: ServiceClient, deadlineMs: number) {
    this.#client = client;
    this.#deadlineMs = deadlineMs;
  }

  async process({
    request,
    context,
  }: GraphQLDataSourceProcessOptions<OperationContext>): Promise<GatewayGraphQLResponse> {
    const { bearerFor, changed, signal } = context as OperationContext;
    try {
      const headers = { authorization: await bearerFor(this.#client.name) };
      const answer = await ask(this.#client, '/graphql', {
        headers,
        body: { query: request.query, variables: request.variables },
        deadlineMs: this.#deadlineMs,
        signal,
      });
      if (request.query?.startsWith('mutation')) changed();
      return answer as GatewayGraphQLResponse;
    } catch (error) {
      throw unavailable(this.#client.name, 'SUBGRAPH_UNAVAILABLE', error);
    }
  }
}

/** Saleor: sees the buyer's own token and never one of ours; asked in its own dialect; its absence nulls its fields and leaves ours. */
export class SaleorSource implements GraphQLDataSource<OperationContext> {
  readonly #client: ServiceClient;
  readonly #path: string;
  readonly #deadlineMs: number;
  readonly #schema: () => GraphQLSchema;
  constructor(deps: Pick<Deps, 'saleorApiUrl' | 'subgraphDeadlineMs'>, schema: () => GraphQLSchema) {
    const url = new URL(deps.saleorApiUrl);
    this.#client = createServiceClient({ name: 'saleor', baseUrl: url.origin });
    this.#path = url.pathname;
    this.#deadlineMs = deps.subgraphDeadlineMs;
    this.#schema = schema;
  }

  async process({
    request,
    context,
  }: GraphQLDataSourceProcessOptions<OperationContext>): Promise<GatewayGraphQLResponse> {
    const { identity, signal } = context as OperationContext;
    const headers: Record<string, string> = identity.userToken
      ? { authorization: `Bearer ${identity.userToken}` }
      : {};
    const { query, variables } = inSaleorsWords(request.query ?? '', request.variables ?? {}, this.#schema());
    const send = (sent: Record<string, unknown>) =>
      ask(this.#client, this.#path, {
        headers,
        body: { query, variables: sent },
        deadlineMs: this.#deadlineMs,
        signal,
      });
    try {
      const { representations } = variables as { representations?: Record<string, unknown>[] };
      if (!Array.isArray(representations)) return (await send(variables)) as GatewayGraphQLResponse;
      const { calls, place } = entityCalls(representations);
      const answers = await Promise.all(calls.map((call) => send({ ...variables, representations: call })));
      const errors = answers.flatMap((answer) => answer.errors ?? []);
      const entities = place(
        answers.map((answer) => (answer.data?.['_entities'] as unknown[] | null | undefined) ?? null),
      );
      return {
        data: { _entities: entities },
        ...(errors.length ? { errors } : {}),
      } as unknown as GatewayGraphQLResponse;
    } catch (error) {
      throw unavailable('saleor', 'SALEOR_UNAVAILABLE', error);
    }
  }
}

function unavailable(subgraph: string, code: string, cause: unknown): GraphQLError {
  return new GraphQLError(
    `${subgraph === 'saleor' ? 'The shop' : 'A part of the store'} cannot be reached now. Try again.`,
    {
      extensions: { code, subgraph },
      originalError: cause as Error,
    },
  );
}
