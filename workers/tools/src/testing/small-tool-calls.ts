import { ToolRefusal, type ToolRefusalCode } from '../calls/refusals.ts';
import type { Grant, ToolAnswer, ToolCall, ToolCalls, ToolResult, VisibleTool } from '../calls/tool-call.ts';

/** The audit id of every answer of `smallToolCalls`. */
export const anAuditId = '0199a8a0-0000-7000-8000-0000000000aa';

/** A grant whose run is told by the letter: `b` for the second. */
export const grantOf = (letter: 'a' | 'b'): Grant => ({
  organizationId: '0199a8a0-0000-7000-8000-000000000001',
  projectId: '0199a8a0-0000-7000-8000-000000000002',
  instanceId: '0199a8a0-0000-7000-8000-000000000003',
  runId: `0199a8a0-0000-7000-8000-00000000000${letter}`,
  fence: 1,
  owner: 'http://127.0.0.1:1',
  tools: [],
  bindings: [],
  tokenId: letter,
});

export const visible = (toolId: string, more: Partial<VisibleTool> = {}): VisibleTool => ({
  toolId,
  title: toolId,
  description: `What ${toolId} does.`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  risk: 'READ',
  ...more,
});

export const refusedWith = (
  code: ToolRefusalCode,
  facts: Readonly<Record<string, unknown>> = {},
): ToolAnswer => ({ ok: false, auditId: anAuditId, code, message: 'for a reason', facts });

export const answeredWith = (result: ToolResult): ToolAnswer => ({
  ok: true,
  auditId: anAuditId,
  result,
  replayed: false,
});

/**
 * A pipeline in memory for tests of what stands before it: the tokens `a` and `b` are those of two runs, each of which sees `{letter}__echo` and `shared__tool`.
 */
export function smallToolCalls(
  invoke: (grant: Grant, call: ToolCall) => Promise<ToolAnswer> = async (grant, call) =>
    answeredWith({
      content: [{ type: 'text', text: `${grant.tokenId}:${JSON.stringify(call.arguments)}` }],
      isError: false,
    }),
): ToolCalls & { readonly seen: ToolCall[] } {
  const seen: ToolCall[] = [];
  return {
    seen,
    authenticate: async (authorization) => {
      const letter = /^Bearer (a|b)$/.exec(authorization ?? '')?.[1];
      if (letter !== 'a' && letter !== 'b') throw new ToolRefusal('UNAUTHENTICATED');
      return grantOf(letter);
    },
    list: async (grant) => [visible(`${grant.tokenId}__echo`), visible('shared__tool')],
    invoke: (grant, call) => {
      seen.push(call);
      return invoke(grant, call);
    },
  };
}
