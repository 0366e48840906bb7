import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { canonicalJson } from '@agentstore/kernel/canonical-json';
import {
  connectorDefinition,
  type ConnectorDefinition,
  type ConnectorTool,
} from '@agentstore/kernel/connector-definition';
import { sameNames } from './connector.ts';
import { expandedSize, isDeeper } from './expanded-size.ts';
import { knownFormats } from './to-tool-schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** Most characters of one tool's schema, and of a whole definition, as JSON. */
const mostSchemaCharacters = 32_768;
const mostDefinitionCharacters = 524_288;
const deepestSchema = 24;
/** Most nodes of a tool's schema with its references followed. */
const mostSchemaNodes = 20_000;

/** Headers that HTTP, the gateway or the caller's identity own: no argument sets them. */
const closedHeader =
  /^(host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|keep-alive|expect|cookie|authorization|forwarded|x-forwarded-.*|proxy-.*)$/i;

export const isClosedHeader = (name: string): boolean =>
  closedHeader.test(name) || !/^[A-Za-z0-9-]{1,64}$/.test(name);

/** Texts that PostgreSQL's jsonb does not hold: NUL and half a surrogate pair. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** Patterns are those of RE2: matched in time that grows with the text, whatever a stranger wrote. */
const linear = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern));
    return { test: (text: string) => compiled.test(text), toString: () => pattern };
  },
  { code: 'RE2JS' },
);
// As strict as the tool gateway, which enforces these schemas: a keyword or format that it does not know would be a rule that nobody enforces. A schema leaves
// nothing behind: not its `$id` (addUsedSchema), not itself (removeSchema below).
const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  ownProperties: true,
  logger: false,
  addUsedSchema: false,
  code: { regExp: linear },
});
ajv.addVocabulary(['$anchor', 'example', 'x-mcp-header', 'externalDocs', 'xml']);
for (const format of knownFormats) ajv.addFormat(format, true);

/**
 * What keeps a value from being a JSON Schema (2020-12) of arguments that can be checked within bounds, in words; undefined when nothing does. References
 * stay inside it, its patterns are RE2's.
 */
export function toolSchemaFault(schema: Json): string | undefined {
  if (isDeeper(schema, deepestSchema)) return `the schema is deeper than ${deepestSchema} levels`;
  const text = canonicalJson(schema);
  if (text.length > mostSchemaCharacters)
    return `the schema is longer than ${mostSchemaCharacters} characters`;
  if (unstorable.test(text)) return 'the schema holds characters that are none';
  if (
    expandedSize(schema, Number.POSITIVE_INFINITY) > mostSchemaNodes ||
    /"\$(dynamic|recursive)Ref":/.test(text)
  )
    return 'the schema refers to itself, to another document or to too much';
  if (schema['type'] !== 'object') return 'the schema is not that of an object';
  if ('$async' in schema) return 'the schema is asynchronous';
  try {
    ajv.compile(schema);
    return undefined;
  } catch (error) {
    return `the schema is no JSON Schema (2020-12): ${(error as Error).message.slice(0, 300)}`;
  } finally {
    ajv.removeSchema(schema);
  }
}

/** A definition as it is registered, or what keeps a value from being one, in words. */
export function readDefinition(value: unknown): { definition: ConnectorDefinition } | { fault: string } {
  const parsed = connectorDefinition.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { fault: `${issue!.path.join('.') || 'the definition'}: ${issue!.message}` };
  }
  const definition = parsed.data;
  if (isDeeper(definition, deepestSchema + 4)) return { fault: 'the definition is too deep' };
  const text = canonicalJson(definition);
  if (text.length > mostDefinitionCharacters)
    return { fault: `the definition is longer than ${mostDefinitionCharacters} characters` };
  if (unstorable.test(text)) return { fault: 'the definition holds characters that are none' };
  if ((definition.kind === 'RAG') === (definition.origin !== undefined))
    return {
      fault:
        definition.kind === 'RAG'
          ? 'a RAG connector has no origin'
          : `a ${definition.kind} connector needs an origin`,
    };
  if (
    definition.auth.type === 'HEADER' &&
    isClosedHeader(definition.auth.name) &&
    !/^authorization$/i.test(definition.auth.name)
  )
    return { fault: `auth.name: ${definition.auth.name} is not for secrets` };
  const names = new Set<string>();
  for (const tool of definition.tools) {
    if (names.has(tool.name)) return { fault: `there are two tools ${tool.name}` };
    names.add(tool.name);
    const fault = toolFault(definition, tool);
    if (fault) return { fault: `${tool.name}: ${fault}` };
  }
  return { definition };
}

/** What is wrong with one tool of a connector, in words. */
export function toolFault(
  connector: Pick<ConnectorDefinition, 'kind' | 'auth'>,
  tool: ConnectorTool,
): string | undefined {
  const output = tool.outputSchema && toolSchemaFault(tool.outputSchema);
  const schema = toolSchemaFault(tool.inputSchema) ?? (output && `outputSchema: ${output}`);
  if (schema) return schema;
  if (connector.kind !== 'REST') return tool.rest && 'only a tool of a REST connector has a request';
  return tool.rest
    ? requestFault(connector, tool.rest, tool.inputSchema)
    : 'a tool of a REST connector needs a request';
}

/** Arguments and request have to agree: what is in the path is there and cannot be left out, and every argument has its one place. */
function requestFault(
  { auth }: Pick<ConnectorDefinition, 'auth'>,
  { method, path, parameters, body }: NonNullable<ConnectorTool['rest']>,
  inputSchema: Json,
): string | undefined {
  const placeholders = [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name!);
  const names = parameters.map(({ name }) => name);
  const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  const properties = Object.keys((inputSchema['properties'] ?? {}) as Json);
  const required = (inputSchema['required'] ?? []) as readonly string[];
  if (/[{}]/.test(path.replaceAll(/\{[^{}]+\}/g, ''))) return 'the path has a brace that is no placeholder';
  if (path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment)))
    return 'the path leaves its folder';
  if (!sameNames(placeholders, inPath)) return 'the placeholders of the path are not its path parameters';
  if (new Set(names).size < names.length) return 'a parameter has two places';
  if (inPath.some((name) => !required.includes(name))) return 'a path parameter may be left out';
  const unknown = names.find((name) => !properties.includes(name));
  if (unknown !== undefined) return `the parameter ${unknown} is no argument`;
  const header = parameters.find(
    (one) =>
      one.in === 'header' &&
      (isClosedHeader(one.name) ||
        (auth.type === 'HEADER' && auth.name.toLowerCase() === one.name.toLowerCase())),
  );
  if (header) return `the header ${header.name} is not for arguments`;
  if (body && (method === 'GET' || method === 'HEAD')) return `${method} has no body`;
  const homeless = body ? undefined : properties.find((name) => !names.includes(name));
  return homeless === undefined ? undefined : `the argument ${homeless} has no place in the request`;
}
