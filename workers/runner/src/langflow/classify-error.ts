import { clean } from './json.ts';

/** Why a run failed, as the buyer sees it: our own words, never the runtime's. */
export interface RunError {
  readonly code: RunErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export type RunErrorCode =
  | 'RUNNER_LOST'
  | 'RUNTIME_UNAVAILABLE'
  | 'RUNTIME_ERROR'
  | 'TRUNCATED'
  | 'IDLE_TIMEOUT'
  | 'DEADLINE_EXCEEDED'
  | 'ARTIFACT_MISMATCH'
  | 'ARTIFACT_UNAVAILABLE'
  | 'ARTIFACT_REFUSED'
  | 'OUTPUT_TOO_LARGE'
  | 'MAX_CHARGE_REACHED'
  | 'CREDITS_EXHAUSTED'
  | 'INTERNAL';

interface Reason {
  readonly pattern: RegExp;
  /** `$1` and `$2` are the pattern's groups. */
  readonly says: string;
  readonly retryable: boolean;
}

/** What an error text of the runtime is about; the first that fits. */
const reasons: readonly Reason[] = [
  // A refusal of the tool gateway in its own words, and a fixed tool that is not among those it lists for the run.
  {
    pattern:
      /\b([A-Z_]*(?:UNAVAILABLE|TIMEOUT|TOO_MANY_CALLS|IN_PROGRESS)): .{0,500}?\(audit ([0-9a-f-]{36})\)/,
    says: 'the tool gateway refused its call with $1 (audit $2)',
    retryable: true,
  },
  {
    pattern: /\b([A-Z]+(?:_[A-Z]+)+): .{0,500}?\(audit ([0-9a-f-]{36})\)/,
    says: 'the tool gateway refused its call with $1 (audit $2)',
    retryable: false,
  },
  {
    pattern: /Error in build_output: '([a-z][a-z0-9-]{0,31}__[A-Za-z][\w-]{0,63})'/,
    says: 'its agent may not call the tool $1 (TOOL_DENIED)',
    retryable: false,
  },
  {
    pattern: /consuming too slowly/i,
    says: 'it was stopped because its stream was not read fast enough',
    retryable: true,
  },
  {
    pattern: /rate.?limit|too many requests|(?:code|status)\W{0,3}429|quota/i,
    says: 'the model or tool it uses is limiting requests',
    retryable: true,
  },
  {
    pattern:
      /api.?key|credential|variable not found|unauthori[sz]ed|authentication|(?:code|status)\W{0,3}40[13]/i,
    says: 'the model or tool it uses did not accept its credentials',
    retryable: false,
  },
  {
    pattern: /ssrf|not allowed to (?:access|connect)|blocked/i,
    says: 'it tried to reach an address that is not allowed',
    retryable: false,
  },
  {
    pattern: /timed? ?out|timeout/i,
    says: 'the model or tool it uses took too long',
    retryable: true,
  },
  {
    pattern: /(?:code|status)\W{0,3}5\d\d|server_error|upstream|connect(?:ion)?\b|unreachable|getaddrinfo/i,
    says: 'the model or tool it uses failed or could not be reached',
    retryable: true,
  },
  {
    pattern: /no module named|missing optional dependency|cannot import|not installed/i,
    says: 'a library it needs is not installed in the flow runtime',
    retryable: false,
  },
];

/**
 * A failed component as an error for the buyer. The text decides the reason and is then dropped: it may hold tracebacks, paths, prompts
 * and upstream bodies. `component` is its display name in the flow, which its publisher wrote for people.
 */
export function componentError(text: string, component: string | undefined): RunError {
  const reason = reasons.find(({ pattern }) => pattern.test(text));
  const says = reason && reason.pattern.exec(text)![0].replace(reason.pattern, reason.says);
  const name = component && clean(component.replaceAll(/[^\p{L}\p{N} ._()-]/gu, '').slice(0, 60));
  const who = name ? `The step "${name}" of the flow failed` : 'A step of the flow failed';
  return {
    code: 'RUNTIME_ERROR',
    message: says ? `${who}: ${says}.` : `${who}.`,
    retryable: reason?.retryable ?? false,
  };
}

/** The errors that need no text of the runtime. */
export const runErrors = {
  truncated: {
    code: 'TRUNCATED',
    message: 'The flow runtime broke off without an end.',
    retryable: true,
  },
  noAnswer: {
    code: 'RUNTIME_ERROR',
    message: 'The flow ended without an answer.',
    retryable: false,
  },
  stopped: {
    code: 'RUNTIME_ERROR',
    message: 'The flow was stopped by its runtime.',
    retryable: true,
  },
  tooLarge: {
    code: 'OUTPUT_TOO_LARGE',
    message: 'The flow wrote more than a run may.',
    retryable: false,
  },
  idle: { code: 'IDLE_TIMEOUT', message: 'The flow said nothing for too long.', retryable: true },
  deadline: {
    code: 'DEADLINE_EXCEEDED',
    message: 'The run took longer than its plan allows.',
    retryable: false,
  },
  unavailable: {
    code: 'RUNTIME_UNAVAILABLE',
    message: 'The flow runtime could not be reached. Start the run again.',
    retryable: true,
  },
  refused: {
    code: 'ARTIFACT_REFUSED',
    message: 'The flow runtime refuses the artifact of this version.',
    retryable: false,
  },
  mismatch: {
    code: 'ARTIFACT_MISMATCH',
    message: 'The stored artifact is not the published one; nothing was executed.',
    retryable: false,
  },
  artifactUnavailable: {
    code: 'ARTIFACT_UNAVAILABLE',
    message: 'The artifact of this version could not be read. Start the run again.',
    retryable: true,
  },
  maxCharge: {
    code: 'MAX_CHARGE_REACHED',
    message: 'The run used all that it may be charged.',
    retryable: false,
  },
  exhausted: {
    code: 'CREDITS_EXHAUSTED',
    message: 'The wallet could pay for no more of the run. Add credits and start it again.',
    retryable: false,
  },
  lost: {
    code: 'RUNNER_LOST',
    message: 'The runner of this run was lost. Start it again.',
    retryable: true,
  },
  internal: {
    code: 'INTERNAL',
    message: 'Something went wrong on our side. Start the run again.',
    retryable: true,
  },
} as const satisfies Readonly<Record<string, RunError>>;
