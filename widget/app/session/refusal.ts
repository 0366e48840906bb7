import type { Branding } from '@agentstore/kernel/branding';
import type { Trouble } from '../chat/trouble.ts';

/** A problem of session:init (RFC 9457), as far as a client acts on it. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number;
  /** Of an instance that cannot answer now. */
  readonly branding: Branding | null;
}

/** What to do after a problem: go on without the visitor's identity, ask again later by itself, or stop until the panel is opened again. */
export type Verdict =
  { readonly act: 'without-identity' } | { readonly act: 'later' | 'stop'; readonly trouble: Trouble };

const stopping: Readonly<Record<string, Exclude<Trouble['kind'], 'rate-limited'>>> = {
  SESSION_REVOKED: 'revoked',
  ORIGIN_NOT_ALLOWED: 'refused-origin',
  WIDGET_NOT_FOUND: 'not-found',
  INSTANCE_PAUSED: 'paused',
  INSTANCE_NOT_READY: 'not-ready',
};

/** PROTOCOL §1.1. */
export function verdictOn({ status, code, retryAfterSeconds }: Problem): Verdict {
  if (code === 'IDENTITY_INVALID') return { act: 'without-identity' };
  if (status === 429) return { act: 'later', trouble: { kind: 'rate-limited', retryAfterSeconds } };
  const kind = stopping[code];
  if (kind) return { act: 'stop', trouble: { kind } };
  return { act: status >= 500 ? 'later' : 'stop', trouble: { kind: 'unavailable' } };
}
