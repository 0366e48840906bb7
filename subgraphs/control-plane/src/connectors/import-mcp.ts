import { z } from 'zod';
import type { ConnectorDefinition, ConnectorTool } from '@agentstore/kernel/connector-definition';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { ConnectorRefusal, Imported } from './connector.ts';

const listed = z.object({
  tools: z
    .array(
      z.object({
        name: z.string(),
        title: z.string().optional(),
        description: z.string().default(''),
        inputSchema: z.record(z.string(), z.unknown()),
        outputSchema: z.record(z.string(), z.unknown()).optional(),
        annotations: z
          .object({
            title: z.string().optional(),
            readOnlyHint: z.boolean().optional(),
            destructiveHint: z.boolean().optional(),
          })
          .default({}),
      }),
    )
    .max(1_000),
});

/**
 * Reads what an MCP server answered to `tools/list`. Names, descriptions and schemas are taken as they are, since that is what the gateway compares with what
 * the server says later. The server's hints only suggest a risk: a tool writes unless they say that it reads or destroys.
 */
export function importMcpTools(
  list: unknown,
  endpoint: string,
  auth: ConnectorDefinition['auth'],
): Outcome<Imported, ConnectorRefusal> {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (
    !url ||
    !['https:', 'http:'].includes(url.protocol) ||
    url.search ||
    url.hash ||
    url.username ||
    url.password
  )
    return refused({
      code: 'INVALID_INPUT',
      message: 'The endpoint must be an absolute http(s) URL without query, fragment and credentials.',
      field: 'url',
    });
  const parsed = listed.safeParse(list);
  if (!parsed.success)
    return refused({
      code: 'DOCUMENT_REFUSED',
      message: `This is no result of tools/list: ${parsed.error.issues[0]!.path.join('.')}: ${parsed.error.issues[0]!.message}.`,
      field: 'mcpTools',
    });
  return done({
    origin: url.origin,
    path: url.pathname,
    auth,
    name: '',
    tools: parsed.data.tools.map(({ annotations, title, outputSchema, ...tool }): ConnectorTool => ({
      ...tool,
      title: title ?? annotations.title ?? tool.name,
      ...(outputSchema ? { outputSchema } : {}),
      risk: annotations.destructiveHint ? 'DESTRUCTIVE' : annotations.readOnlyHint ? 'READ' : 'WRITE',
    })),
    notes: [],
  });
}
