import type { ConnectorDefinition, ConnectorTool } from '@agentstore/kernel/connector-definition';
import { ToolRefusal } from '../../calls/refusals.ts';
import { isFreeHeader } from '../../connectors/credential.ts';
import type { UpstreamRequest } from '../upstream.ts';

/** A request without its credential. */
export interface RestRequest {
  readonly method: string;
  /** Path and query, under the definition's prefix. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

type Rest = NonNullable<ConnectorTool['rest']>;

/**
 * The request of a tool's call. Throws INVALID_ARGUMENTS for a value that cannot stand where it belongs, and POLICY_UNAVAILABLE for a tool that
 * describes no request.
 */
export function buildRequest({
  definition,
  tool,
  arguments: sent,
}: Pick<UpstreamRequest, 'definition' | 'tool' | 'arguments'>): RestRequest {
  const { rest } = tool;
  if (!rest)
    throw new ToolRefusal('POLICY_UNAVAILABLE', 'The connector does not say how this tool is called.');
  const path = pathOf(definition, rest, sent);
  const query = queryOf(rest, sent);
  const body = bodyOf(rest, sent);
  return {
    method: rest.method,
    path: query === '' ? path : `${path}?${query}`,
    headers: {
      accept: 'application/json, text/*;q=0.5',
      'accept-encoding': 'gzip, deflate, br',
      'user-agent': 'agentstore-tools/1',
      ...headersOf(definition, rest, sent),
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    },
    body,
  };
}

function pathOf(definition: ConnectorDefinition, rest: Rest, sent: UpstreamRequest['arguments']): string {
  const prefix = definition.path.replace(/\/+$/, '');
  const filled = rest.path.replace(/\{([^{}]*)\}/g, (_whole, name: string) => {
    const value = textOf(name, sent[name]);
    if (value === undefined || value === '') throw unfit(name);
    try {
      return encodeURIComponent(value);
    } catch {
      throw unfit(name);
    }
  });
  const path = prefix + filled;
  // A segment that became `.` or `..` would be another path to whoever normalises it.
  const normal = new URL(path, 'https://upstream.invalid');
  if (normal.pathname !== path || !path.startsWith(`${prefix}/`))
    throw new ToolRefusal('INVALID_ARGUMENTS', 'An argument would change the path of the request.');
  return path;
}

function queryOf(rest: Rest, sent: UpstreamRequest['arguments']): string {
  const query = new URLSearchParams();
  for (const { name } of placed(rest, 'query')) {
    const value = sent[name];
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const text = textOf(name, one);
      if (text !== undefined) query.append(name, text);
    }
  }
  return query.toString();
}

function headersOf(
  definition: ConnectorDefinition,
  rest: Rest,
  sent: UpstreamRequest['arguments'],
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { name } of placed(rest, 'header')) {
    const value = textOf(name, sent[name]);
    if (value === undefined) continue;
    if (!isFreeHeader(name, definition) || !/^[\x20-\x7e]*$/.test(value)) throw unfit(name);
    headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** All arguments that have no other place, or null for a tool without a body; one without a place is not sent silently nowhere. */
function bodyOf(rest: Rest, sent: UpstreamRequest['arguments']): string | null {
  const elsewhere = new Set(rest.parameters.map(({ name }) => name));
  const left = Object.entries(sent).filter(([name]) => !elsewhere.has(name));
  if (rest.body) return JSON.stringify(Object.fromEntries(left));
  if (left[0]) throw unfit(left[0][0]);
  return null;
}

const placed = (rest: Rest, place: 'query' | 'header'): Rest['parameters'] =>
  rest.parameters.filter((parameter) => parameter.in === place);

/** A value that can stand in a path, a query or a header; undefined for one that is not given. */
function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw unfit(name);
}

const unfit = (name: string): ToolRefusal =>
  new ToolRefusal('INVALID_ARGUMENTS', `Argument /${name.slice(0, 100)} cannot stand in the request.`, {
    path: `/${name.slice(0, 100)}`,
  });
