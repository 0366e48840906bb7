import { hashOf } from '@agentstore/kernel/canonical-json';
import type { ConnectorTool } from '@agentstore/kernel/connector-definition';
import type { Tool } from '@modelcontextprotocol/client';

/** What a model is told of a tool: what was approved, and what must not change behind the approval. */
export const fingerprintOf = ({
  name,
  description,
  inputSchema,
}: {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}): string => hashOf({ name, description: description ?? '', inputSchema });

/** Names of the pinned tools that the upstream still describes as they were approved. A name that it lists twice is nobody's. */
export function unchangedTools(
  pinned: readonly ConnectorTool[],
  listed: readonly Tool[],
): ReadonlySet<string> {
  const seen = new Map<string, string | null>();
  for (const tool of listed) seen.set(tool.name, seen.has(tool.name) ? null : fingerprintOf(tool));
  return new Set(
    pinned.filter((tool) => seen.get(tool.name) === fingerprintOf(tool)).map((tool) => tool.name),
  );
}
