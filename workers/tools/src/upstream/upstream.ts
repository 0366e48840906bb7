import type { Secret } from '@agentstore/kernel/vault/secret-store';
import type { Dispatcher } from 'undici';
import type { ConnectorDefinition, ConnectorTool } from '@agentstore/kernel/connector-definition';
import type { Uuid } from '@agentstore/kernel/ids';
import { ToolRefusal, type ToolRefusalCode } from '../calls/refusals.ts';
import type { ToolResult } from '../calls/tool-call.ts';

/** One call to be carried out: everything about it is decided. */
export interface UpstreamRequest {
  readonly definition: ConnectorDefinition;
  /** sha256 by which the policy pins the definition. */
  readonly definitionHash: string;
  readonly tool: ConnectorTool;
  /** Whose call it is, by the run's token. */
  readonly tenant: { readonly organizationId: Uuid; readonly projectId: Uuid };
  /** Validated, canonical. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Null when the connector needs none. Belongs to the pipeline: never kept, never changed. */
  readonly secret: Secret | null;
  /** Tells credentials apart without showing them (`{bindingId}@{version}`, or `none`): what was learnt with one holds for no other. */
  readonly credentialId: string;
  readonly idempotencyKey: string | null;
  /** Dials checked addresses of the definition's origin and nothing else; follows no redirect. Null for a definition without one, whose calls stay inside. */
  readonly egress: EgressRoute | null;
  /** Aborted when the caller hung up, the binding was revoked, or the deadline passed (reason: a TimeoutError). */
  readonly signal: AbortSignal;
  /** When the answer must be there, as `performance.now()`. */
  readonly deadline: number;
}

/** A way to one origin, guarded at the socket. */
export interface EgressRoute {
  readonly origin: string;
  readonly dispatcher: Dispatcher;
  /** Address that was dialled last for this origin; null before the first connect. */
  address(): string | null;
}

/** The way out of a call that has one. */
export function routeOf({ egress }: Pick<UpstreamRequest, 'egress'>): EgressRoute {
  if (!egress) throw new ToolRefusal('EGRESS_DENIED');
  return egress;
}

/** What is audited of a call, however it ended. */
export interface UpstreamFacts {
  readonly method: string;
  readonly destination: { readonly origin: string; readonly address: string | null };
  /** HTTP status of the last attempt; null when there was no answer. 401 makes the pipeline drop the secret it used. */
  readonly upstreamStatus: number | null;
  readonly attempts: number;
  /** False when surely nothing of the call reached the upstream: it may then be made again under the same key. */
  readonly sent: boolean;
  /** Bytes of the bodies, after decompression. */
  readonly bytesOut: number;
  readonly bytesIn: number;
}

/** Nothing of it is redacted yet. */
export interface UpstreamAnswer extends UpstreamFacts {
  readonly result: ToolResult;
}

/** A call that came to no result. */
export class UpstreamRefusal extends ToolRefusal {
  readonly seen: UpstreamFacts;
  constructor(code: ToolRefusalCode, seen: UpstreamFacts, facts: Readonly<Record<string, unknown>> = {}) {
    super(code, undefined, facts);
    this.seen = seen;
  }
}

/** The adapter of one kind of connector. */
export interface Upstream {
  /** Throws ToolRefusal for arguments that cannot be sent: asked before anything is written, read or called. */
  check(request: Pick<UpstreamRequest, 'definition' | 'tool' | 'arguments'>): void;
  /** Throws UpstreamRefusal; anything else it throws is answered UPSTREAM_UNAVAILABLE. */
  call(request: UpstreamRequest): Promise<UpstreamAnswer>;
  close(): Promise<void>;
}
