import type { RunGrant } from '@agentstore/kernel/auth/run-token';
import type { ToolRefusalCode } from './refusals.ts';

/** One call as it came in, over REST or MCP alike. */
export interface ToolCall {
  readonly channel: 'REST' | 'MCP';
  /** The tool's name at the gateway. */
  readonly toolId: string;
  /** As sent: not validated yet. */
  readonly arguments: unknown;
  /** A binding that the caller wants to be used; the policy's when absent. As sent: not validated yet. */
  readonly bindingId?: unknown;
  readonly idempotencyKey?: string;
  /** Tenant ids that the caller claims outside its token: they change nothing, and one that differs is audited. */
  readonly claimed?: { readonly organizationId?: unknown; readonly projectId?: unknown };
  /** Name and version of the calling program, as it says. */
  readonly client?: string;
  /** Aborted when the caller hung up: the upstream call is then cancelled. */
  readonly signal: AbortSignal;
}

/** One block of a result, in MCP's shape (`TextContent`, `ImageContent`, …). */
export interface ContentBlock {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** What a tool answered. `isError`: the tool ran and says that it failed, which the model may mend. */
export interface ToolResult {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError: boolean;
}

/** The end of a call. */
export type ToolAnswer =
  | { readonly ok: true; readonly auditId: string; readonly result: ToolResult; readonly replayed: boolean }
  | {
      readonly ok: false;
      readonly auditId: string;
      readonly code: ToolRefusalCode;
      readonly message: string;
      readonly facts: Readonly<Record<string, unknown>>;
    };

/** A tool as one run may see it. */
export interface VisibleTool {
  readonly toolId: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly risk: 'READ' | 'WRITE' | 'DESTRUCTIVE';
}

/** The one pipeline behind REST and MCP. */
export interface ToolCalls {
  /** The grant of a bearer token. Throws ToolRefusal UNAUTHENTICATED. */
  authenticate(authorization: string | null): Promise<Grant>;
  /** What this run may call, sorted by name: policy ∩ token. Throws ToolRefusal. */
  list(grant: Grant): Promise<readonly VisibleTool[]>;
  /** Decides and carries out one call; never throws for what a caller or an upstream does. */
  invoke(grant: Grant, call: ToolCall): Promise<ToolAnswer>;
}

export type Grant = RunGrant & { readonly tokenId: string };
