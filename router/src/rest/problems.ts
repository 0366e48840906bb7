import { ProblemError, problemResponse } from '@agentstore/kernel/http/problem';

/** Status of the codes of the graph in REST. A refusal whose code is not here is 409, or 404 when the code ends so. */
const statusOf: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  INVALID_INPUT: 400,
  UNAUTHENTICATED: 401,
  INSUFFICIENT_CREDITS: 402,
  FORBIDDEN: 403,
  FORBIDDEN_OPERATION: 403,
  NOT_ENTITLED: 403,
  NOT_FOUND: 404,
  FILE_TOO_LARGE: 413,
  WALLET_FROZEN: 423,
  TOO_MANY_RUNS: 429,
  INTERNAL: 500,
  INSTANCE_PAUSED: 503,
  UNAVAILABLE: 503,
  SUBGRAPH_UNAVAILABLE: 503,
  SALEOR_UNAVAILABLE: 503,
  GOING_AWAY: 503,
};
const retryAfterSeconds: Readonly<Record<string, number>> = { INSTANCE_PAUSED: 30, TOO_MANY_RUNS: 5 };

/** A code of the graph as a problem (RFC 9457); `facts` become members of it. */
export const problem = (code: string, title: string, facts: object = {}): ProblemError =>
  new ProblemError({
    ...facts,
    status: statusOf[code] ?? (code.endsWith('_NOT_FOUND') ? 404 : 409),
    code,
    title,
  });

/** The first error of a GraphQL answer as a problem. */
export const problemOfError = (error: {
  readonly message: string;
  readonly extensions: Readonly<Record<string, unknown>>;
}): ProblemError => {
  const { code } = error.extensions;
  return problem(typeof code === 'string' ? code : 'INTERNAL', error.message);
};

/**
 * The problem of a command that its client sent without a key. When it cannot be known whether the command was done, it may be repeated under the key that
 * the router made, and under no other: the problem says that key, and nothing else invites to repeat.
 */
export const repeatableOnlyUnder = (idempotencyKey: string, error: unknown): unknown =>
  error instanceof ProblemError && error.problem.status >= 500
    ? new ProblemError({ ...error.problem, idempotencyKey })
    : error;

/** Answers a thrown problem, with Retry-After where trying again is worth it; rethrows everything else. */
export function answerProblem(error: unknown): Response {
  if (!(error instanceof ProblemError)) throw error;
  const { code, status, idempotencyKey } = error.problem;
  const mayRepeat = idempotencyKey === undefined;
  const seconds = mayRepeat ? (retryAfterSeconds[code] ?? (status === 503 ? 2 : undefined)) : undefined;
  return problemResponse(error.problem, {
    ...(seconds === undefined ? {} : { 'retry-after': String(seconds) }),
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
}
