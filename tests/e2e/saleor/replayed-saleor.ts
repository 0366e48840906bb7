import {
  buildASTSchema,
  defaultFieldResolver,
  execute,
  isObjectType,
  parse,
  validate,
  type DocumentNode,
  type GraphQLFieldResolver,
  type GraphQLScalarType,
  type GraphQLSchema,
} from 'graphql';
import { canonicalJson } from '@agentstore/kernel/canonical-json';
import { silentLog } from '@agentstore/kernel/log';
import { listen } from '@agentstore/kernel/testing/http';
import { internalError, ShopError } from '../../../infra/dev/shop/errors.ts';
import { formatErrors } from '../../../infra/dev/shop/graphql-errors.ts';
import { parseQuery } from '../../../infra/dev/shop/parser-quirks.ts';
import { writtenAsLiteral } from '../../../infra/dev/shop/scalars.ts';
import { recordedText } from '../../../infra/dev/shop/testing/recorded.ts';
import {
  anonymous,
  byType,
  owner,
  recordedFacts,
  requestorNamed,
  type Fields,
  type Key,
  type RecordedFacts,
  type Requestor,
} from './recorded-facts.ts';

/** What the server was asked. */
interface Asked {
  readonly headers: Headers;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

interface Context {
  readonly who: Requestor;
}

export type ReplayedSaleor = Awaited<ReturnType<typeof replaySaleor>>;

/** Most keys of one `_entities` call. */
const most = 100;

/**
 * An HTTP server that answers as the recorded Saleor 3.22 did, on its whole schema. A request of `http.json` gets the recorded answer itself. Any other one is
 * executed on the recorded facts, because a router writes its own queries: keys, nulls, refusals and the order of answers are those of `entities.json`
 * (replayed-saleor.test.ts holds them against every recorded answer). `product` and `productVariant` were not recorded as root fields; they show what the
 * entity of the same id and channel shows. A root field that was not recorded is an error, so that no test passes by a made-up answer.
 *
 * `more`: the recordings keep only the first entry of long lists, and it is the same product 100 times. These entities fill a long list of different keys; they
 * are shown as the recorded variant is: to everybody, under exactly this key.
 */
export async function replaySaleor({ more = [] }: { more?: readonly (Key & { id: string })[] } = {}) {
  const facts = recordedFacts();
  const sdl = recordedText('saleor-3.22-federated.graphql');
  const schema = schemaOf(sdl);
  const made = new Map(
    more.map((entity) => [keyOf(entity.__typename, entity.id, entity['channel']), entity as Fields]),
  );
  const resolvers = resolversOf(schema, facts, made);
  const requestors = new Map<string, Requestor>();
  const asked: Asked[] = [];
  let mode: 'up' | 'down' | 'hang' | 'html' = 'up';

  /** `Authorization-Bearer` wins, as in the real one; what nobody knows is anonymous without a word. */
  const requestorOf = (headers: Headers): Requestor => {
    const raw =
      headers.get('authorization-bearer') ?? headers.get('authorization')?.replace(/^(Bearer|JWT) /, '');
    return requestors.get(raw ?? '') ?? anonymous;
  };

  async function answer(request: Request): Promise<Response> {
    if (mode === 'hang') return new Promise(() => undefined);
    if (mode === 'down') return new Response('<html>502</html>', { status: 502 });
    if (mode === 'html')
      return new Response('<html>a page</html>', { headers: { 'content-type': 'text/html' } });
    const who = requestorOf(request.headers);
    const body = read(await request.text());
    if (typeof body === 'object' && 'query' in body)
      asked.push({ headers: request.headers, query: String(body.query), variables: body.variables ?? {} });
    const recorded = facts.httpCases.find(
      (one) => requestorNamed(one.auth) === who && canonicalJson(one.request) === canonicalJson(body),
    );
    if (recorded) return Response.json(recorded.body, { status: recorded.httpStatus });
    if (typeof body === 'string' || !('query' in body)) throw new Error('this request was not recorded');
    const parsed = parseQuery(String(body.query));
    if ('refusal' in parsed) {
      const { code, ...refusal } = parsed.refusal;
      return Response.json(
        { errors: [{ ...refusal, extensions: { exception: { code } } }] },
        { status: 400 },
      );
    }
    return run(parsed.document, { who, variables: body.variables ?? {} });
  }

  async function run(
    document: DocumentNode,
    { who, variables }: { who: Requestor; variables: Readonly<Record<string, unknown>> },
  ): Promise<Response> {
    const faults = validate(schema, document);
    if (faults.length) return Response.json({ errors: formatErrors(faults, silentLog) }, { status: 400 });
    const { data, errors } = await execute({
      schema,
      document,
      variableValues: variables,
      contextValue: { who } satisfies Context,
      fieldResolver: resolvers,
    });
    return Response.json(
      {
        ...(errors ? { errors: formatErrors(errors, silentLog) } : {}),
        ...(data === undefined ? {} : { data }),
      },
      { status: data === undefined ? 400 : 200 },
    );
  }

  const server = await listen(answer);
  return {
    facts,
    sdl,
    url: `${server.origin}/graphql/`,
    asked,
    /** Requests with this token come from this requestor. */
    knows: (token: string, who: Requestor): void => void requestors.set(token, who),
    be: (next: typeof mode): void => void (mode = next),
    /** Nobody listens there any more. */
    stop: () => server.close(0),
  };
}

function read(text: string): string | { query?: unknown; variables?: Record<string, unknown> } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return text;
  }
}

function schemaOf(sdl: string): GraphQLSchema {
  // The SDL of `_service` leaves out the directive it uses and the two root fields of federation.
  const schema = buildASTSchema(
    parse(`${sdl}
      directive @key(fields: String!) repeatable on OBJECT | INTERFACE
      extend type Query { _entities(representations: [_Any]): [_Entity] _service: _Service }`),
    { assumeValidSDL: true },
  );
  (schema.getType('_Any') as GraphQLScalarType).parseLiteral = () => writtenAsLiteral;
  return schema;
}

const keyOf = (type: string, id: unknown, channel: unknown): string =>
  `${type} ${String(id)} ${String(channel)}`;

function resolversOf(
  schema: GraphQLSchema,
  facts: RecordedFacts,
  made: ReadonlyMap<string, Fields>,
): GraphQLFieldResolver<unknown, Context> {
  const members = keyMembers(schema);
  const known = (who: Requestor, key: Key): Fields | null =>
    made.get(keyOf(key.__typename, key['id'], key['channel'])) ?? facts.entity(who, key);

  function entities(who: Requestor, keys: readonly (Key | typeof writtenAsLiteral)[]): (Fields | null)[] {
    if (keys.length > most)
      throw new ShopError(
        `Federated query exceeded entity limit: ${keys.length} items requested over ${most}.`,
      );
    const readable = keys.filter((key) => key !== writtenAsLiteral);
    if (readable.length < keys.length) throw internalError('TypeError');
    return byType(readable).map((key) => {
      const allowed = members.get(key.__typename);
      if (!allowed) throw internalError('KeyError');
      if (Object.keys(key).some((member) => !allowed.has(member))) throw internalError('TypeError');
      if ('id' in key) checkId(key.__typename, String(key['id']));
      return known(who, key);
    });
  }

  const catalogued =
    (type: string) =>
    (who: Requestor, { id, channel }: Fields): Fields | null =>
      known(who, { __typename: type, id, channel });
  const roots: Readonly<Record<string, (who: Requestor, args: Fields) => unknown>> = {
    _entities: (who, { representations }) => entities(who, representations as Key[]),
    _service: () => ({ sdl: recordedText('saleor-3.22-federated.graphql') }),
    order: (_who, { id }) => facts.order(id) ?? null,
    product: catalogued('Product'),
    productVariant: catalogued('ProductVariant'),
    // Of the other customer no id was recorded: to the router they are somebody whom the shop does not name.
    me: (who) => (who === owner ? facts.entity(who, { __typename: 'User', id: 'VXNlcjo0NQ==' }) : null),
  };

  return (parent, args, context, info) => {
    const { fieldName, parentType } = info;
    if (parentType === schema.getQueryType() || parentType === schema.getMutationType()) {
      const refused = facts.refusal(context.who);
      if (refused) throw new ShopError(refused.message, refused.code);
      const root = roots[fieldName];
      if (!root) throw new Error(`${parentType.name}.${fieldName} was not recorded`);
      return root(context.who, args as Fields);
    }
    const fields = parent as Fields;
    if (fieldName === 'privateMetadata' && !(fieldName in fields))
      throw new ShopError('You do not have permission to perform this action', 'PermissionDenied');
    if (parentType.name === 'Order' && fieldName === 'user' && context.who !== owner)
      throw new ShopError(notTheBuyer, 'PermissionDenied');
    return defaultFieldResolver(fields, args as object, context, info);
  };
}

const notTheBuyer =
  'To access this path, you need one of the following permissions: MANAGE_USERS, MANAGE_ORDERS, HANDLE_PAYMENTS, HANDLE_TAXES, OWNER';

/** Members that each entity's keys may have, by the keys of the schema. */
function keyMembers(schema: GraphQLSchema): ReadonlyMap<string, ReadonlySet<string>> {
  const members = new Map<string, Set<string>>();
  for (const type of Object.values(schema.getTypeMap())) {
    const keys = isObjectType(type)
      ? (type.astNode?.directives ?? []).filter(({ name }) => name.value === 'key')
      : [];
    for (const { arguments: args } of keys)
      for (const { value } of args ?? [])
        if ('value' in value) {
          const allowed = members.get(type.name) ?? new Set(['__typename']);
          String(value.value)
            .split(' ')
            .forEach((member) => allowed.add(member));
          members.set(type.name, allowed);
        }
  }
  return members;
}

function checkId(type: string, id: string): void {
  const received = /^(\w+):./.exec(Buffer.from(id, 'base64').toString())?.[1];
  if (received === type) return;
  throw new ShopError(`Invalid ID: ${id}. Expected: ${type}${received ? `, received: ${received}` : ''}.`);
}
