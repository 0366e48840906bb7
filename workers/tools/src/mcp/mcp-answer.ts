import { toolRefusals, type ToolRefusalCode } from '../calls/refusals.ts';
import type { ToolAnswer } from '../calls/tool-call.ts';

type Refused = Extract<ToolAnswer, { ok: false }>;
type ModelContent = { type: 'text'; text: string }[];

/** Refusals that a model can mend or must know of to go on: a tool result with `isError`. Every other one is a JSON-RPC error: the call was not made, and asking again changes nothing. */
const toldToTheModel: ReadonlySet<ToolRefusalCode> = new Set([
  'INVALID_ARGUMENTS',
  'REDIRECT_BLOCKED',
  'RESPONSE_TOO_LARGE',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_INVALID',
  'TOOL_DEFINITION_CHANGED',
]);

/** How a refusal with this code is told over MCP. */
export const mcpFormOf = (code: ToolRefusalCode): 'TOOL_ERROR' | 'JSON_RPC_ERROR' =>
  toldToTheModel.has(code) ? 'TOOL_ERROR' : 'JSON_RPC_ERROR';

/** `-32602` for what the caller asked, `-32603` for what the gateway could not do. */
export const jsonRpcCodeOf = (code: ToolRefusalCode): -32602 | -32603 =>
  toolRefusals[code].status < 500 ? -32602 : -32603;

/** A refusal in one line, for people and models. */
export const refusalText = ({ code, message, auditId }: Omit<Refused, 'ok' | 'facts'>): string =>
  `${code}: ${message} (audit ${auditId})`;

/** A refusal as the result of the tool. */
export function toolErrorOf(refused: Refused): {
  content: ModelContent;
  structuredContent: Record<string, unknown>;
  isError: true;
} {
  return {
    content: [{ type: 'text', text: refusalText(refused) }],
    structuredContent: { ...refused.facts, code: refused.code, auditId: refused.auditId },
    isError: true,
  };
}
