import { dereference, validate } from '@readme/openapi-parser';
import { parse } from 'yaml';
import type { ConnectorDefinition, ConnectorTool } from '@agentstore/kernel/connector-definition';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { ConnectorRefusal, Imported, ImportNote } from './connector.ts';
import { isClosedHeader, toolSchemaFault } from './definition-faults.ts';
import { expandedSize, isDeeper } from './expanded-size.ts';
import { isObject, plainObject, toToolSchema } from './to-tool-schema.ts';

type Json = Readonly<Record<string, unknown>>;
type Auth = ConnectorDefinition['auth'];
type Parameter = NonNullable<ConnectorTool['rest']>['parameters'][number];

/** Most characters of a document, and nodes with its references followed. */
export const mostDocumentCharacters = 1_048_576;
const mostDocumentNodes = 300_000;
const deepestDocument = 64;
const parserDeadlineMs = 2_000;

const riskOf = {
  get: 'READ',
  head: 'READ',
  post: 'WRITE',
  put: 'WRITE',
  patch: 'WRITE',
  delete: 'DESTRUCTIVE',
} as const;
type Method = keyof typeof riskOf;
const pathMembers = new Set(['parameters', 'summary', 'description', 'servers', '$ref']);

const unreadable = (message: string) =>
  refused<ConnectorRefusal>({ code: 'DOCUMENT_REFUSED', message, field: 'openapi' });

/**
 * Reads an OpenAPI 3.0 or 3.1 document, JSON or YAML, into tools: one per operation, named by its operationId, its parameters and the members of its JSON
 * body side by side as arguments. Nothing but the document is ever read: a reference out of it refuses it. An operation that cannot be called as it
 * is described becomes no tool, and a note. `url` stands in for the document's first server.
 */
export async function importOpenApi(
  text: string,
  url: string | undefined,
): Promise<Outcome<Imported, ConnectorRefusal>> {
  const read = await readDocument(text);
  if (!read.ok) return read;
  const document = read.value;
  const server = serverOf(
    url ?? ((document['servers'] as Json[] | undefined)?.[0]?.['url'] as string | undefined),
  );
  if (!server)
    return refused({
      code: 'DOCUMENT_REFUSED',
      message:
        'The address of the first server is no absolute http(s) URL without variables and query; say another one.',
      field: 'url',
    });
  const operations = operationsOf(document);
  const auth = authOf(document, operations);
  if (!auth.ok) return auth;
  const tools: ConnectorTool[] = [];
  const notes: ImportNote[] = [];
  const names = new Set<string>();
  for (const operation of operations) {
    const note = (imported: boolean, message: string): void =>
      void notes.push({ source: operation.source, imported, message });
    const refusal = operation.refusal ?? auth.value.refusalOf(operation);
    const tool = refusal ?? toolOf(operation, (message) => note(true, message));
    if (typeof tool === 'string') note(false, tool);
    else tools.push({ ...tool, name: unusedName(names, tool.name) });
  }
  const title = (document['info'] as Json)['title'];
  return done({
    ...server,
    auth: auth.value.auth,
    name: typeof title === 'string' ? title.slice(0, 200) : '',
    tools,
    notes,
  });
}

/** The document with its references replaced, once it is sure that this takes no time and reads nothing else. */
async function readDocument(text: string): Promise<Outcome<Json, ConnectorRefusal>> {
  if (text.length > mostDocumentCharacters)
    return unreadable(`The document is longer than ${mostDocumentCharacters} characters.`);
  let document: unknown;
  try {
    document = text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text, { maxAliasCount: 50 });
  } catch (error) {
    return unreadable(
      `The document is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]!.slice(0, 200)}`,
    );
  }
  if (!isObject(document) || !/^3\.[01]\./.test(String(document['openapi'])))
    return unreadable('The document is not OpenAPI 3.0 or 3.1.');
  if (isDeeper(document, deepestDocument))
    return unreadable(`The document is deeper than ${deepestDocument} levels.`);
  const size = expandedSize(document, 1);
  if (size === Number.POSITIVE_INFINITY)
    return unreadable('The document refers to something outside of it, or to nothing.');
  if (size > mostDocumentNodes) return unreadable('The document is too large with its references followed.');
  const options = {
    resolve: { external: false, file: false },
    dereference: { circular: 'ignore' },
    timeoutMs: parserDeadlineMs,
  } as const;
  try {
    const checked = await validate(structuredClone(document) as never, options);
    if (!checked.valid)
      return unreadable(
        `The document is no valid OpenAPI: ${checked.errors[0]?.message.split('\n')[0]?.slice(0, 300)}`,
      );
    return done((await dereference(document as never, options)) as Json);
  } catch (error) {
    return unreadable(
      `The document cannot be read: ${(error as Error).message.split('\n')[0]!.slice(0, 300)}`,
    );
  }
}

function serverOf(text: string | undefined): { origin: string; path: string } | undefined {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (
    !url ||
    !['https:', 'http:'].includes(url.protocol) ||
    url.search ||
    url.hash ||
    url.username ||
    url.password
  )
    return undefined;
  if (/[{}]|%7b|%7d/i.test(text!)) return undefined;
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') || '/' };
}

interface Operation {
  readonly source: string;
  readonly method: Method;
  readonly path: string;
  readonly operation: Json;
  readonly parameters: readonly Json[];
  /** The schemes of which one is enough; undefined when the document's count. */
  readonly security: readonly Json[] | undefined;
  readonly refusal?: string | undefined;
}

function operationsOf(document: Json): Operation[] {
  return Object.entries((document['paths'] ?? {}) as Json).flatMap(([path, item]) =>
    Object.entries(isObject(item) ? item : {})
      .filter(
        ([member, operation]) => !pathMembers.has(member) && !member.startsWith('x-') && isObject(operation),
      )
      .map(([member, value]): Operation => {
        const operation = value as Json;
        const parameters = new Map<string, Json>();
        for (const parameter of [...list((item as Json)['parameters']), ...list(operation['parameters'])])
          parameters.set(`${String(parameter['in'])} ${String(parameter['name'])}`, parameter);
        return {
          source: `${member.toUpperCase()} ${path}`,
          method: member as Method,
          path,
          operation,
          parameters: [...parameters.values()],
          security: (operation['security'] ?? document['security']) as Json[] | undefined,
          refusal: refusalOf(member, operation, item as Json),
        };
      }),
  );
}

function refusalOf(method: string, operation: Json, item: Json): string | undefined {
  if (!Object.hasOwn(riskOf, method)) return `the method ${method.toUpperCase()} is not supported`;
  if (typeof operation['operationId'] !== 'string') return 'it has no operationId to be named by';
  if (operation['servers'] ?? item['servers'])
    return 'it has a server of its own, and a connector calls one origin';
  return undefined;
}

const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

/**
 * The one scheme that the connector authenticates by: the first usable one that is enough for the document, else for an operation. An operation for which
 * it is not enough is refused.
 */
function authOf(
  document: Json,
  operations: readonly Operation[],
): Outcome<{ auth: Auth; refusalOf: (operation: Operation) => string | undefined }, ConnectorRefusal> {
  const schemes = ((document['components'] as Json | undefined)?.['securitySchemes'] ?? {}) as Readonly<
    Record<string, Json>
  >;
  const wanted = [
    ...list(document['security']),
    ...operations.flatMap(({ security }) => security ?? []),
  ].filter((one) => Object.keys(one).length > 0);
  const read = wanted.map((requirement) => {
    const [name, more] = Object.keys(requirement);
    return more === undefined
      ? readScheme(name!, schemes[name!])
      : { fault: `${name} and ${more} are needed together` };
  });
  const usable = read.find((one): one is { name: string; auth: Auth } => 'auth' in one);
  if (!usable && read[0] && 'fault' in read[0])
    return refused({
      code: 'AUTH_UNSUPPORTED',
      message: `The document asks for what is not supported: ${read[0].fault}.`,
      field: 'openapi',
    });
  return done({
    auth: usable?.auth ?? { type: 'NONE' },
    refusalOf: ({ security }) =>
      !security?.length || security.some((one) => Object.keys(one).every((name) => name === usable?.name))
        ? undefined
        : `it needs another authentication than ${usable?.name ?? 'none'}`,
  });
}

function readScheme(
  name: string,
  scheme: Json | undefined,
): { name: string; auth: Auth } | { fault: string } {
  const type = scheme?.['type'];
  const http = type === 'http' ? String(scheme!['scheme']).toLowerCase() : undefined;
  if (http === 'bearer') return { name, auth: { type: 'BEARER', field: 'token' } };
  if (http === 'basic')
    return { name, auth: { type: 'BASIC', usernameField: 'username', passwordField: 'password' } };
  if (type === 'apiKey' && scheme!['in'] === 'header')
    return { name, auth: { type: 'HEADER', name: String(scheme!['name']), field: 'apiKey', prefix: '' } };
  return {
    fault:
      type === 'apiKey'
        ? `${name} is a key in the ${String(scheme!['in'])}, where it would be logged`
        : `${name} is ${http ?? String(type)}`,
  };
}

/** An operation as a tool, or why it cannot be one. `note` tells of what was left out. */
function toolOf(
  { operation, method, path, parameters }: Operation,
  note: (message: string) => void,
): ConnectorTool | string {
  const properties: Record<string, Json> = {};
  const required = new Set<string>();
  const places: Parameter[] = [];
  for (const parameter of order(parameters)) {
    const read = readParameter(parameter);
    if (read === undefined) continue;
    if (typeof read === 'string') return read;
    const { place, schema } = read;
    const isRequired = place.in === 'path' || parameter['required'] === true;
    if (Object.hasOwn(properties, place.name)) {
      if (isRequired) return `there are two parameters ${place.name}, and both are needed`;
      note(`the ${place.in} parameter ${place.name} is left out: there is another one of that name`);
      continue;
    }
    properties[place.name] = schema;
    places.push(place);
    if (isRequired) required.add(place.name);
  }
  const body = bodyOf(operation, method);
  if (typeof body === 'string') return body;
  if (body?.leftOut) note(body.leftOut);
  for (const [name, schema] of Object.entries(body?.members.properties ?? {})) {
    if (isObject(schema) && schema['readOnly'] === true) continue;
    const isRequired = body!.required && body!.members.required.includes(name);
    if (Object.hasOwn(properties, name)) {
      if (isRequired) return `${name} is both a parameter and a member of the body, and both are needed`;
      note(`the member ${name} of the body is left out: there is a parameter of that name`);
      continue;
    }
    properties[name] = toToolSchema(schema);
    if (isRequired) required.add(name);
  }
  const output = outputOf(operation);
  const outputFault = output && toolSchemaFault(output);
  if (outputFault) note(`the schema of the answer is left out: ${outputFault}`);
  const { operationId, summary, description } = operation as {
    operationId: string;
    summary?: string;
    description?: string;
  };
  return {
    name: nameOf(operationId),
    title: (summary ?? operationId).slice(0, 200),
    description: (description ?? summary ?? '').slice(0, 4_000),
    inputSchema: {
      type: 'object',
      properties,
      ...(required.size ? { required: [...required] } : {}),
      additionalProperties: body?.members.open ?? false,
    },
    ...(output && !outputFault ? { outputSchema: output } : {}),
    risk: riskOf[method],
    rest: {
      method: method.toUpperCase() as Uppercase<Method>,
      path,
      parameters: places,
      body: body !== undefined && !body.leftOut,
    },
  };
}

/** Which of two of one name stays is always the same: the one in the path, then in the query, then in a header. */
const order = (parameters: readonly Json[]): Json[] =>
  ['path', 'query', 'header', 'cookie'].flatMap((where) => parameters.filter((one) => one['in'] === where));

const isPrimitive = (schema: Json): boolean => {
  const types = [schema['type']].flat().filter((type) => type !== 'null');
  return types.length > 0 && types.every((type) => type !== 'object' && type !== 'array');
};

function readParameter(parameter: Json): { place: Parameter; schema: Json } | string | undefined {
  const name = String(parameter['name']);
  const where = parameter['in'] as 'path' | 'query' | 'header' | 'cookie';
  if (where === 'cookie') return `the parameter ${name} is a cookie`;
  // OpenAPI itself says that these are described elsewhere.
  if (where === 'header' && /^(accept|content-type|authorization)$/i.test(name)) return undefined;
  if (where === 'header' && isClosedHeader(name)) return `the header ${name} is not for arguments`;
  if (!isObject(parameter['schema'])) return `the parameter ${name} has no schema`;
  const schema = toToolSchema(parameter['schema']);
  const isList = schema['type'] === 'array' && isObject(schema['items']) && isPrimitive(schema['items']);
  const style = parameter['style'] ?? (where === 'query' ? 'form' : 'simple');
  const isPlain = isPrimitive(schema) || (where === 'query' && isList && parameter['explode'] !== false);
  if (!isPlain || style !== (where === 'query' ? 'form' : 'simple'))
    return `the parameter ${name} is written in a way that is not supported`;
  const description = parameter['description'];
  return {
    place: { name, in: where },
    schema:
      typeof description === 'string' && schema['description'] === undefined
        ? { ...schema, description }
        : schema,
  };
}

interface Body {
  readonly members: NonNullable<ReturnType<typeof plainObject>>;
  readonly required: boolean;
  /** Why it is not sent; it has no members then. */
  readonly leftOut?: string;
}
const noMembers = { properties: {}, required: [], open: false };

function bodyOf(operation: Json, method: Method): Body | string | undefined {
  const body = operation['requestBody'];
  if (!isObject(body)) return undefined;
  const required = body['required'] === true;
  const members = plainObject(jsonSchemaOf(body));
  const fault =
    method === 'get' || method === 'head'
      ? `${method.toUpperCase()} has no body`
      : members
        ? undefined
        : 'the body is no JSON object whose members are listed';
  if (fault)
    return required ? fault : { members: noMembers, required, leftOut: `the body is left out: ${fault}` };
  return { members: members!, required };
}

/** The schema of a JSON body or answer. */
function jsonSchemaOf(value: Json): unknown {
  const content = isObject(value['content']) ? value['content'] : {};
  const type = Object.keys(content).find((name) => /^application\/([a-z0-9.+-]+\+)?json(;|$)/i.test(name));
  return type === undefined ? undefined : (content[type] as Json)['schema'];
}

function outputOf(operation: Json): Json | undefined {
  const responses = isObject(operation['responses']) ? operation['responses'] : {};
  const status = Object.keys(responses)
    .filter((one) => /^2(\d\d|XX)$/i.test(one))
    .sort()[0];
  const response = status === undefined ? undefined : responses[status];
  const schema = isObject(response) ? jsonSchemaOf(response) : undefined;
  // A reference that is still there leads back to itself.
  return isObject(schema) && (schema['type'] === 'object' || '$ref' in schema) && schema['nullable'] !== true
    ? toToolSchema(schema)
    : undefined;
}

/** An operationId as the name of a tool. */
function nameOf(operationId: string): string {
  const name = operationId.replaceAll(/[^A-Za-z0-9_-]+/g, '_').slice(0, 64);
  return /^[A-Za-z]/.test(name) ? name : `op_${name}`.slice(0, 64);
}

function unusedName(names: Set<string>, name: string): string {
  let unused = name;
  for (let count = 2; names.has(unused); count++)
    unused = `${name.slice(0, 64 - `_${count}`.length)}_${count}`;
  names.add(unused);
  return unused;
}
