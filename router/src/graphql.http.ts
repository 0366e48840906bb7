import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type ExecutionArgs,
  type FragmentDefinitionNode,
} from 'graphql';
import { maskError } from '@agentstore/kernel/graphql/server';
import type { Deps } from './deps.ts';
import type { Engine } from './execution/engine.ts';
import { operationContext, type OperationContext } from './execution/operation-context.ts';
import type { Identifier, Identity } from './identity/identify.ts';
import { rootFields } from './policy/closed-mutations.ts';
import { limitError } from './policy/limits.ts';
import type { Subscriber } from './subscriptions/subscribe.ts';

/** What yoga's context holds: the operation's own, made once per request. */
export interface RouterContext {
  readonly operation: OperationContext;
}

export type RouterYoga = YogaServerInstance<{ readonly authorization?: string | undefined }, RouterContext>;

/**
 * The public GraphQL endpoint (HTTP and SSE; graphql-ws uses the same instance): yoga parses and validates against the newest supergraph, the
 * engine executes. No batching, no GET for mutations, JSON bodies only.
 */
export function createRouterYoga(
  deps: Deps,
  parts: { engine: Engine; subscribe: Subscriber; identifier: Identifier },
): RouterYoga {
  const { engine, subscribe, identifier } = parts;

  const execution: Plugin<RouterContext> = {
    onParams({ request, params, setResult }) {
      if (
        request.method === 'POST' &&
        !/^application\/(graphql\+)?json/i.test(request.headers.get('content-type') ?? '')
      )
        setResult({
          errors: [
            new GraphQLError('Send JSON.', {
              extensions: { code: 'UNSUPPORTED_MEDIA_TYPE', http: { status: 415 } },
            }),
          ],
        });
      else if (typeof params.query === 'string' && params.query.length > deps.maxBodyBytes)
        setResult({
          errors: [
            new GraphQLError('The query is too large.', {
              extensions: { code: 'QUERY_TOO_LARGE', http: { status: 413 } },
            }),
          ],
        });
    },
    onValidate({ params, setResult }) {
      const error = limitError(params.documentAST as DocumentNode, deps.limits);
      if (error) setResult([error]);
    },
    onExecute({ args, setExecuteFn }) {
      setExecuteFn(async () => {
        const { operation } = args.contextValue as RouterContext;
        if (
          deps.introspection === 'signed-in' &&
          operation.identity.caller.kind === 'ANONYMOUS' &&
          introspects(args.document)
        )
          return { errors: [signInToIntrospect()] };
        const result = await engine.execute(operationFrom(args, operation));
        if (isMutation(args.document)) identifier.forget(operation.identity);
        return result;
      });
    },
    onSubscribe({ args, setSubscribeFn }) {
      setSubscribeFn(() => subscribe(operationFrom(args, (args.contextValue as RouterContext).operation)));
    },
  };

  return createYoga<{ readonly authorization?: string | undefined }, RouterContext>({
    graphqlEndpoint: '/graphql',
    schema: () => engine.current().schema,
    landingPage: false,
    graphiql: false,
    batching: false,
    logging: false,
    maskedErrors: { maskError: (error) => maskError(error, deps.log) },
    context: async ({ request, authorization }) => {
      const credential = authorization ?? request?.headers.get('authorization');
      const identity = await identified(identifier, credential);
      const resolve = (): Promise<Identity> => {
        identifier.forget(identity);
        return identifier.identify(credential);
      };
      return {
        operation: operationContext({
          identity,
          sign: deps.signInternal,
          signal: request?.signal ?? new AbortController().signal,
          resolve,
        }),
      };
    },
    plugins: [execution],
  });
}

/** A credential that does not hold is 401, before anything is executed. */
async function identified(
  identifier: Identifier,
  authorization: string | null | undefined,
): Promise<Identity> {
  try {
    return await identifier.identify(authorization);
  } catch (error) {
    if ((error as { code?: string }).code !== 'UNAUTHENTICATED') throw error;
    throw new GraphQLError((error as Error).message, {
      extensions: {
        code: 'UNAUTHENTICATED',
        http: { status: 401, headers: { 'www-authenticate': 'Bearer' } },
      },
    });
  }
}

const operationFrom = (args: ExecutionArgs, context: OperationContext) => ({
  document: args.document,
  operationName: args.operationName,
  variables: (args.variableValues ?? {}) as Record<string, unknown>,
  context,
});

/** Whether the schema itself is asked for; `__typename` is not. */
const introspects = (document: DocumentNode): boolean => {
  const fragments = new Map(
    document.definitions.flatMap((one): [string, FragmentDefinitionNode][] =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [],
    ),
  );
  return document.definitions.some(
    (one) =>
      one.kind === Kind.OPERATION_DEFINITION &&
      rootFields(one.selectionSet, fragments).some((name) => name === '__schema' || name === '__type'),
  );
};

const signInToIntrospect = (): GraphQLError =>
  new GraphQLError('Sign in to introspect the schema.', { extensions: { code: 'UNAUTHENTICATED' } });

const isMutation = (document: DocumentNode): boolean =>
  document.definitions.some((one) => one.kind === 'OperationDefinition' && one.operation === 'mutation');
