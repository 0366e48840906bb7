/** The store answered an operation with an error. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** What passes by itself, by `docs/protocol-run-events.md`. */
const passing = [
  'UNAVAILABLE',
  'SUBGRAPH_UNAVAILABLE',
  'GOING_AWAY',
  'ACCESS_CHANGED',
  'RATE_LIMITED',
  'TOO_MANY_OPERATIONS',
];
export const passes = (code: string): boolean => passing.includes(code);

/** GraphQL errors as a refusal. */
export const refusedBy = (
  errors: readonly { readonly extensions?: { readonly code?: unknown } | undefined }[],
) => new Refused(String(errors[0]?.extensions?.code));
