import { AccessError } from '../access.ts';
import type { Log } from '../log.ts';
import { isDatabaseDown } from '../db/database.ts';

/** RFC 9457 problem details as our REST answers them: `code` is stable, further members are facts about the refusal. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly [fact: string]: unknown;
}

/** Thrown inside a REST handler to answer with a problem. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

/** A problem as an `application/problem+json` response. */
export function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  const body = {
    type: `https://agentstore.dev/problems/${problem.code.toLowerCase().replaceAll('_', '-')}`,
    ...problem,
  };
  return new Response(JSON.stringify(body), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}

/** The answer for anything a handler threw. Faults are masked and logged once; a dependency that is down is 503, worth a retry. */
export function problemOf(error: unknown, log: Log): Response {
  if (error instanceof ProblemError) return problemResponse(error.problem);
  if (error instanceof AccessError)
    return problemResponse({
      status: error.code === 'UNAUTHENTICATED' ? 401 : 403,
      code: error.code,
      title: error.message,
    });
  if (isUnavailable(error)) {
    log.warn({ err: error }, 'dependency unavailable');
    return problemResponse(
      { status: 503, code: 'UNAVAILABLE', title: 'A part of the store cannot be reached now. Try again.' },
      { 'retry-after': '2' },
    );
  }
  log.error({ err: error }, 'request failed');
  return problemResponse({ status: 500, code: 'INTERNAL', title: 'Something went wrong on our side.' });
}

/** True for faults of a dependency that is down or slow: safe to answer 503 / UNAVAILABLE. */
export const isUnavailable = (error: unknown): boolean =>
  isDatabaseDown(error) || (error instanceof Error && error.name === 'UnavailableError');
