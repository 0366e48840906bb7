import { organizationScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import {
  connectorSlug,
  type ConnectorDefinition,
  type ConnectorTool,
} from '@agentstore/kernel/connector-definition';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import type { Connector, ConnectorRefusal, ImportNote } from './connector.ts';
import { storeHasConnector } from './connectors.store.ts';
import { readDefinition, toolFault } from './definition-faults.ts';
import { importMcpTools } from './import-mcp.ts';
import { importOpenApi } from './import-openapi.ts';
import { registerConnector } from './register-connector.ts';

const mostTools = 128;

/** What to import: one of the two documents. */
interface Source {
  /** An OpenAPI document, JSON or YAML. */
  readonly openapi?: string | undefined;
  /** What an MCP server answered to tools/list. */
  readonly mcpTools?: unknown;
  /** The endpoint of the MCP server, or what stands in for the document's first server. */
  readonly url?: string | undefined;
  /** How an MCP server is authenticated to; a document says it itself. */
  readonly auth: ConnectorDefinition['auth'];
}

export interface ConnectorImport extends Source {
  readonly organizationId: Uuid | undefined;
  readonly slug: string;
  readonly name?: string | undefined;
  /** Only these tools, by name. */
  readonly tools?: readonly string[] | undefined;
  /** Risks that are known better than the document tells them. */
  readonly risks: readonly { readonly tool: string; readonly risk: ConnectorTool['risk'] }[];
}

/** Makes or changes a connector of an organization out of a document. Tools that cannot be had are told of, each with its reason. */
export async function importConnector(
  { db }: Room,
  caller: Caller,
  input: ConnectorImport,
): Promise<Outcome<{ connector: Connector; notes: readonly ImportNote[] }, ConnectorRefusal>> {
  const { organizationId, slug } = input;
  const scope = organizationId && organizationScope(caller, organizationId, 'connector:manage');
  if (!organizationId || !scope)
    return refused({
      code: 'ORGANIZATION_NOT_FOUND',
      message: 'There is no such organization.',
      field: 'organizationId',
    });
  if (!connectorSlug.safeParse(slug).success)
    return refused({
      code: 'INVALID_INPUT',
      message: 'slug must be 1 to 32 lower-case letters, digits and minus signs, a letter first.',
      field: 'slug',
    });
  const read = await readTools(input);
  if (!read.ok) return read;
  const { definition, notes } = read.value;
  return db.transaction(
    scope,
    async (
      tx,
    ): Promise<Outcome<{ connector: Connector; notes: readonly ImportNote[] }, ConnectorRefusal>> => {
      if (await storeHasConnector(tx, slug))
        return refused({
          code: 'SLUG_TAKEN',
          message: 'The store has a connector of this name.',
          field: 'slug',
        });
      return done({ connector: await registerConnector(tx, organizationId, definition), notes });
    },
  );
}

async function readTools(
  input: ConnectorImport,
): Promise<Outcome<{ definition: ConnectorDefinition; notes: readonly ImportNote[] }, ConnectorRefusal>> {
  const kind = input.openapi === undefined ? 'MCP' : 'REST';
  if ((input.openapi === undefined) === (input.mcpTools === undefined))
    return refused({ code: 'INVALID_INPUT', message: 'Give either openapi or mcpTools.', field: 'openapi' });
  const read =
    input.openapi === undefined
      ? importMcpTools(input.mcpTools, input.url ?? '', input.auth)
      : await importOpenApi(input.openapi, input.url);
  if (!read.ok) return read;
  const { notes, tools, name, ...upstream } = read.value;
  const wanted = input.tools && new Set(input.tools);
  const risks = new Map(input.risks.map(({ tool, risk }) => [tool, risk]));
  const unusable: ImportNote[] = [];
  const usable = tools
    .filter((tool) => wanted?.has(tool.name) ?? true)
    .map((tool) => ({ ...tool, risk: risks.get(tool.name) ?? tool.risk }))
    .filter((tool) => {
      const fault = toolFault({ kind, auth: upstream.auth }, tool);
      if (fault) unusable.push({ source: tool.name, imported: false, message: fault });
      return !fault;
    });
  const unknown = [...(wanted ?? []), ...risks.keys()].find(
    (one) => !tools.some((tool) => tool.name === one),
  );
  if (unknown !== undefined)
    return refused({
      code: 'INVALID_INPUT',
      message: `There is no tool ${unknown} to import.`,
      field: 'tools',
    });
  const all = [...notes, ...unusable];
  if (!usable.length)
    return refused({
      code: 'NOTHING_TO_IMPORT',
      message: [
        'There is no tool that can be imported.',
        ...all.slice(0, 3).map((one) => `${one.source}: ${one.message}.`),
      ].join(' '),
    });
  if (usable.length > mostTools)
    return refused({
      code: 'INVALID_DEFINITION',
      message: `There are ${usable.length} tools, and a connector has at most ${mostTools}: name those that are wanted.`,
      field: 'tools',
    });
  const definition = readDefinition({
    kind,
    slug: input.slug,
    name: (input.name ?? name) || input.slug,
    ...upstream,
    tools: usable,
  });
  return 'fault' in definition
    ? refused({ code: 'INVALID_DEFINITION', message: `${definition.fault}.` })
    : done({ definition: definition.definition, notes: all });
}
