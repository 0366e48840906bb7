/** The other side could not be reached, was too slow, or answered 5xx. Worth a retry where the call is idempotent. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly service: string;
  /** What it answered; undefined when it gave no answer. 500 is a fault of its own, which asking again may not mend. */
  readonly status: number | undefined;
  constructor(service: string, reason: string, options?: ErrorOptions & { status?: number }) {
    super(`${service} is unavailable: ${reason}`, options);
    this.service = service;
    this.status = options?.status;
  }
}

/** The other side answered, and not with success. `code` and `facts` come from its problem+json body. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly service: string;
  readonly status: number;
  readonly code: string;
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(service: string, status: number, facts: Readonly<Record<string, unknown>>) {
    super(`${service} answered ${status} ${text(facts['code'])}: ${text(facts['title'])}`);
    this.service = service;
    this.status = status;
    this.code = typeof facts['code'] === 'string' ? facts['code'] : `HTTP_${status}`;
    this.facts = facts;
  }
}

const text = (fact: unknown): string => (typeof fact === 'string' ? fact : '');

/**
 * How one service calls another: JSON over REST, with a deadline, trace headers and a bearer token. The port that use cases are given;
 * `http/client.ts` makes one.
 */
export interface ServiceClient {
  readonly name: string;
  /** The raw transport, for GraphQL and streams. Paths are absolute (`/graphql`). Adds trace headers, nothing else. */
  fetch(path: string, init?: RequestInit & { deadlineMs?: number }): Promise<Response>;
  /**
   * JSON in, JSON out. Throws ServiceError for a 4xx (problem code kept), UnavailableError for no answer, a cut one, a deadline or 5xx.
   * `retries` repeats on UnavailableError with backoff: only for idempotent calls.
   */
  call<T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    options?: CallOptions,
  ): Promise<T>;
}

export interface CallOptions {
  readonly deadlineMs?: number;
  readonly retries?: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}
