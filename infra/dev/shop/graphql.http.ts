import { execute, OperationTypeNode, validate, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { authenticate } from './auth.ts';
import type { Requestor, Shop, ShopContext } from './context.ts';
import { formatErrors } from './graphql-errors.ts';
import { parseQuery, type Refusal } from './parser-quirks.ts';
import { openStore } from './store.ts';

interface Body {
  readonly query?: unknown;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

/** `POST /graphql/`, with Saleor's refusals. */
export function createGraphqlHandler(
  shop: Shop,
  schema: GraphQLSchema,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const body = await readBody(request);
    if (Array.isArray(body))
      return refused({ message: 'Number of batch queries exceeded.', code: 'GraphQLError' });
    if (!body) return refused({ message: 'Unable to parse query.', code: 'GraphQLError' });
    if (typeof body.query !== 'string' || body.query === '')
      return refused({ message: 'Must provide a query string.', code: 'GraphQLError' });
    const parsed = parseQuery(body.query);
    if ('refusal' in parsed) return refused(parsed.refusal);
    const faults = validate(schema, parsed.document, undefined, { maxErrors: 20 });
    if (faults.length) return json(400, { errors: formatErrors(faults, shop.log) });
    const subscribes = parsed.document.definitions.some(
      (one) => 'operation' in one && one.operation === OperationTypeNode.SUBSCRIPTION,
    );
    if (subscribes)
      return refused({ message: 'Subscriptions are not allowed over HTTP.', code: 'GraphQLError' });
    const result = await run(shop, schema, { request, body, document: parsed.document });
    // Refused before any field ran (variables, operation name): a client's mistake.
    const status = result.data === undefined ? 400 : 200;
    return json(status, {
      ...(result.errors ? { errors: formatErrors(result.errors, shop.log) } : {}),
      ...(result.data === undefined ? {} : { data: result.data }),
    });
  };
}

async function run(
  shop: Shop,
  schema: GraphQLSchema,
  operation: { request: Request; body: Body; document: Parameters<typeof execute>[0]['document'] },
): Promise<ExecutionResult> {
  const { body, request } = operation;
  const store = openStore(shop.database);
  let requestor: Promise<Requestor> | undefined;
  const context: ShopContext = {
    shop,
    store,
    requestor: () => (requestor ??= authenticate(shop, store, request.headers)),
  };
  return execute({
    schema,
    document: operation.document,
    contextValue: context,
    ...(isRecord(body.variables) ? { variableValues: body.variables } : {}),
    ...(typeof body.operationName === 'string' ? { operationName: body.operationName } : {}),
  });
}

async function readBody(request: Request): Promise<Body | unknown[] | undefined> {
  try {
    const value: unknown = JSON.parse(await request.text());
    return Array.isArray(value) || isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const refused = ({ code, ...rest }: Refusal): Response =>
  json(400, { errors: [{ ...rest, extensions: { exception: { code } } }] });

const json = (status: number, value: object): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
