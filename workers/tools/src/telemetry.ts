import { histogram, withSpan, type Attributes } from '@agentstore/kernel/telemetry';

/** Names of OpenTelemetry's conventions for MCP and generative AI (semantic-conventions-genai of 2026-05, status Development): they stand here alone. */
const serverDuration = histogram(
  'mcp.server.operation.duration',
  's',
  'Duration of a tool call at the gateway, from the verified token to the answer.',
);
const clientDuration = histogram(
  'mcp.client.operation.duration',
  's',
  'Duration of the call to the upstream, with the secret it needs.',
);

/** Never arguments or results: only names, and how it ended (`error.type`: a refusal's code, or `tool_error`). */
const attributesOf = (toolId: string): Attributes => ({
  'mcp.method.name': 'tools/call',
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': toolId,
});

interface Work<T> {
  readonly work: () => Promise<T>;
  /** What went wrong, if anything did. */
  readonly endOf: (value: T) => string | undefined;
}

/** Measures a call as the gateway serves it. */
export const servedCall = <T>(toolId: string, work: Work<T>): Promise<T> =>
  measured(serverDuration, attributesOf(toolId), work);

/** Measures the part of a call that the upstream takes. */
export const upstreamCall = <T>(toolId: string, origin: string | null, work: Work<T>): Promise<T> =>
  measured(
    clientDuration,
    { ...attributesOf(toolId), ...(origin === null ? {} : { 'server.address': new URL(origin).hostname }) },
    work,
  );

function measured<T>(
  record: (value: number, attributes: Attributes) => void,
  attributes: Attributes,
  { work, endOf }: Work<T>,
): Promise<T> {
  const began = performance.now();
  return withSpan(`tools/call ${attributes['gen_ai.tool.name']}`, attributes, async (set) => {
    const value = await work();
    const end = { 'error.type': endOf(value) };
    set(end);
    record((performance.now() - began) / 1_000, { ...attributes, ...end });
    return value;
  });
}
