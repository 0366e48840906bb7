import type { Grant, ToolResult } from './tool-call.ts';

/** A call that came with an idempotency key. */
export interface KeyedCall {
  readonly grant: Grant;
  readonly toolId: string;
  readonly keyHash: string;
  readonly callHash: string;
  readonly auditId: string;
  /** After this many ms a call that came to no end may be made again; null when that could do harm, until the key expires. */
  readonly repeatAfterMs: number | null;
}

export type Claim =
  | { readonly kind: 'CLAIMED' }
  | { readonly kind: 'REPLAYED'; readonly result: ToolResult }
  | { readonly kind: 'CONFLICT' }
  | { readonly kind: 'IN_PROGRESS' };

/** Idempotency keys of calls. */
export interface CallKeys {
  claim(call: KeyedCall): Promise<Claim>;
  /** Keeps the result, already redacted. */
  keep(call: KeyedCall, result: ToolResult): Promise<void>;
  /** Nothing was done under the key: it is free again. */
  free(call: KeyedCall): Promise<void>;
  /** Removes what expired; true when there may be more. */
  sweep(): Promise<boolean>;
}
