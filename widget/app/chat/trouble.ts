/** Why nothing can be said now, for as long as it holds. The words are the locale's, by the same key. */
export type Trouble =
  | { readonly kind: 'paused' | 'not-ready' | 'refused-origin' | 'revoked' | 'not-found' | 'unavailable' }
  | { readonly kind: 'rate-limited'; readonly retryAfterSeconds: number };

/** Why a message or its answer failed. */
export type Failure =
  'out-of-credits' | 'visitor-cap' | 'paused' | 'too-many-runs' | 'too-long' | 'answer-failed' | 'rejected';
