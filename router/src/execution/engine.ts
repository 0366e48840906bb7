import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { Supergraph, type Schema } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import {
  GraphQLError,
  Kind,
  print,
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { UnavailableError } from '@agentstore/kernel/http/client';
import { turnOffGatewayTelemetry } from '../config.ts';
import type { Deps } from '../deps.ts';
import { closedMutationError } from '../policy/closed-mutations.ts';
import type { OperationContext } from './operation-context.ts';
import { OwnSource, SaleorSource } from './subgraph-sources.ts';

/** One loaded supergraph: immutable; a reload makes another one, and operations under way end on the one they began with. */
export interface Generation {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly id: string;
  readonly supergraph: Supergraph;
  readonly apiSchema: Schema;
  readonly planner: QueryPlanner;
  readonly sources: Readonly<Record<string, GraphQLDataSource<OperationContext>>>;
  readonly executor: Awaited<ReturnType<ApolloGateway['load']>>['executor'];
  stop(): Promise<void>;
}

/** An operation to execute: a parsed and validated document. */
export interface Operation {
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | undefined;
  readonly context: OperationContext;
}

/** The federated graph: executes queries and mutations on the newest good supergraph. */
export interface Engine {
  /** Throws UnavailableError while no supergraph was ever good. */
  current(): Generation;
  execute(operation: Operation): Promise<ExecutionResult>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createEngine(deps: Deps): Engine {
  let generation: Generation | undefined;
  let watcher: fs.StatWatcher | undefined;
  let loading = Promise.resolve();

  /** Takes a changed file over when it is good; keeps the last good one and says why when it is not. */
  async function reload(): Promise<void> {
    try {
      const sdl = fs.readFileSync(deps.supergraphFile, 'utf8');
      const id = createHash('sha256').update(sdl).digest('hex');
      if (id === generation?.id) return;
      const next = await loadGeneration(deps, sdl, id);
      const last = generation;
      generation = next;
      deps.log.info({ supergraph: id.slice(0, 12) }, last ? 'supergraph reloaded' : 'supergraph loaded');
      // Operations under way keep the old generation; it is let go when the longest of them must have ended.
      if (last) setTimeout(() => void last.stop(), deps.subgraphDeadlineMs + 1_000).unref();
    } catch (error) {
      deps.log.error(
        { err: error },
        generation
          ? 'the new supergraph is not usable; the last good one is kept'
          : 'no usable supergraph yet',
      );
    }
  }

  const current = (): Generation => {
    if (!generation) throw new UnavailableError('graph', 'no supergraph is loaded yet');
    return generation;
  };

  return {
    current,
    async execute(operation) {
      const at = current();
      const refusal = refusalOf(operation);
      if (refusal) return { errors: [refusal] };
      const text = print(operation.document);
      const result = await at.executor({
        document: operation.document,
        request: {
          query: text,
          operationName: operation.operationName ?? undefined,
          variables: operation.variables ?? {},
        },
        operationName: operation.operationName ?? null,
        operation: operationOf(operation.document, operation.operationName),
        queryHash: createHash('sha256').update(text).digest('hex'),
        source: text,
        context: operation.context,
        schema: at.schema,
        logger: deps.log,
        metrics: {},
        cache: undefined,
        overallCachePolicy: undefined,
      } as unknown as Parameters<Generation['executor']>[0]);
      return cleaned(result as ExecutionResult);
    },
    async start() {
      await reload();
      watcher = fs.watchFile(
        deps.supergraphFile,
        { interval: 500, persistent: false },
        () => (loading = loading.then(reload)),
      );
    },
    async stop() {
      if (watcher) fs.unwatchFile(deps.supergraphFile);
      await loading;
      await generation?.stop();
    },
  };
}

async function loadGeneration(deps: Deps, sdl: string, id: string): Promise<Generation> {
  const supergraph = Supergraph.build(sdl);
  const apiSchema = supergraph.apiSchema();
  let schema: GraphQLSchema | undefined;
  const sources: Record<string, GraphQLDataSource<OperationContext>> = {
    saleor: new SaleorSource(deps, () => schema!),
  };
  for (const [name, client] of Object.entries(deps.subgraphs))
    sources[name] = new OwnSource(client, deps.subgraphDeadlineMs);
  turnOffGatewayTelemetry();
  const gateway = new ApolloGateway({
    supergraphSdl: sdl,
    buildService: ({ name }) => {
      const source = sources[name];
      if (!source)
        throw new Error(`the supergraph has a subgraph ${name} that the router is not configured for`);
      return source;
    },
    logger: { ...gatewayLog(deps), debug: () => undefined },
  });
  const { schema: loaded, executor } = await gateway.load();
  schema = loaded;
  return {
    id,
    schema,
    supergraph,
    apiSchema,
    sources,
    executor,
    planner: new QueryPlanner(supergraph),
    stop: () => gateway.stop(),
  };
}

const gatewayLog = ({ log }: Deps) => ({
  info: (message: unknown) => log.debug(String(message)),
  warn: (message: unknown) => log.warn(String(message)),
  error: (message: unknown) => log.error(String(message)),
});

/** The operation that a request names, or the only one. */
export function operationOf(
  document: DocumentNode,
  operationName?: string | null,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  return operationName ? operations.find((one) => one.name?.value === operationName) : operations[0];
}

function refusalOf({ document, operationName }: Operation): GraphQLError | undefined {
  const operation = operationOf(document, operationName);
  if (!operation)
    return new GraphQLError('The document has no such operation.', {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  const fragments = new Map(
    document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  );
  return closedMutationError(operation, fragments);
}

/** What subgraphs said of themselves stays inside; messages, paths and codes go out. */
export function cleaned(result: ExecutionResult): ExecutionResult {
  const { data, errors } = result;
  if (!errors?.length) return data === undefined ? {} : { data };
  return {
    ...(data === undefined ? {} : { data }),
    errors: errors.map((error) => {
      const { code, traceId } = (error.extensions ?? {}) as { code?: string; traceId?: string };
      return new GraphQLError(error.message, {
        ...(error.path ? { path: error.path } : {}),
        extensions: {
          code: code && code !== 'DOWNSTREAM_SERVICE_ERROR' ? code : (shopCode(error) ?? 'INTERNAL'),
          ...(traceId ? { traceId } : {}),
        },
      });
    }),
  };
}

/** Saleor says its codes under `extensions.exception.code`, in its own words. */
function shopCode(error: GraphQLError): string | undefined {
  const exception = error.extensions?.['exception'] as { code?: unknown } | undefined;
  if (exception?.code === 'PermissionDenied') return 'FORBIDDEN';
  return typeof exception?.code === 'string' ? 'SHOP_ERROR' : undefined;
}
