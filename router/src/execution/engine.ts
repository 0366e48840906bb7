import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { Supergraph, type Schema } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import { maskError } from '@agentstore/kernel/graphql/server';
import { UnavailableError } from '@agentstore/kernel/http/client';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import { turnOffGatewayTelemetry } from '../config.ts';
import type { Deps } from '../deps.ts';
import { operationOf, refusalsOf } from './admit-operation.ts';
import { cleaned } from './clean-answer.ts';
import { textOf } from './documents.ts';
import type { OperationContext } from './operation-context.ts';
import { OwnSource, SaleorSource } from './subgraph-sources.ts';

/** One loaded supergraph: immutable; a reload makes another one, and operations under way end on the one they began with. */
export interface Generation {
  /** What clients see. */
  readonly schema: GraphQLSchema;
  readonly id: string;
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
  /** Executes a query or a mutation. Never throws: whatever goes wrong is a coded error of the answer. */
  execute(operation: Operation): Promise<ExecutionResult>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createEngine(deps: Deps): Engine {
  let generation: Generation | undefined;
  let watch: Loop | undefined;
  let seen: string | undefined;

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

  /** The file's state is noted before it is read: what is written meanwhile is another state, and is looked at next. */
  async function look(): Promise<boolean> {
    const state = stateOf(deps.supergraphFile);
    if (state === seen) return false;
    seen = state;
    await reload();
    return false;
  }

  const current = (): Generation => {
    if (!generation) throw new UnavailableError('graph', 'no supergraph is loaded yet');
    return generation;
  };

  return {
    current,
    async execute(operation) {
      try {
        const at = current();
        const { identity } = operation.context;
        const refusals = refusalsOf(operation, {
          schema: at.schema,
          caller: identity.caller,
          introspection: deps.introspection,
        });
        if (refusals.length) return { errors: refusals };
        const { text, hash } = textOf(operation.document);
        const result = await at.executor({
          document: operation.document,
          request: {
            query: text,
            operationName: operation.operationName ?? undefined,
            variables: operation.variables ?? {},
          },
          operationName: operation.operationName ?? null,
          operation: operationOf(operation.document, operation.operationName),
          queryHash: hash,
          source: text,
          context: operation.context,
          schema: at.schema,
          logger: deps.log,
          metrics: {},
          cache: undefined,
          overallCachePolicy: undefined, // nothing here is cached by what subgraphs say of caches
        } as unknown as Parameters<Generation['executor']>[0]);
        return cleaned(result as ExecutionResult, deps.log);
      } catch (error) {
        return { errors: [maskError(error, deps.log) as GraphQLError] };
      }
    },
    async start() {
      await look();
      watch = startLoop({ name: 'supergraph', log: deps.log, everyMs: 500, work: look });
    },
    async stop() {
      await watch?.stop();
      await generation?.stop();
    },
  };
}

/** Which writing of a file is there; empty while there is none. */
function stateOf(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : '';
}

async function loadGeneration(deps: Deps, sdl: string, id: string): Promise<Generation> {
  const supergraph = Supergraph.build(sdl);
  const apiSchema = supergraph.apiSchema();
  let schema: GraphQLSchema | undefined;
  const sources: Record<string, GraphQLDataSource<OperationContext>> = {
    saleor: new SaleorSource(deps, () => schema!),
  };
  for (const [name, client] of Object.entries(deps.subgraphs)) sources[name] = new OwnSource(client, deps);
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
