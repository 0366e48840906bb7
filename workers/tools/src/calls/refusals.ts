/**
 * Why a tool call was refused or did not come to a result: the status REST answers, and what it means. Every one of them that comes after the token
 * was verified has an audit entry, whose id is in the answer.
 */
export const toolRefusals = {
  UNAUTHENTICATED: { status: 401, means: 'No run token, or one that is not valid here (any more).' },
  INVALID_ID: { status: 400, means: 'An id of the request is none.' },
  INVALID_ARGUMENTS: {
    status: 400,
    means: "The arguments do not fit the tool's JSON Schema or the policy's rules.",
  },
  INVALID_IDEMPOTENCY_KEY: {
    status: 400,
    means: 'The idempotency key must have 1 to 200 printable ASCII characters.',
  },
  TOOL_DENIED: {
    status: 403,
    means:
      'The applied ConnectorPolicy or the run token does not allow this tool; an unknown tool is answered the same.',
  },
  BINDING_NOT_FOUND: {
    status: 404,
    means: 'There is no such binding for this run; the same for a binding of another project.',
  },
  BINDING_REVOKED: { status: 410, means: 'The binding was revoked.' },
  BINDING_SECRET_MISSING: {
    status: 409,
    means: 'The binding has no secret in the secret store; bind it anew.',
  },
  INSTANCE_NOT_ACTIVE: {
    status: 403,
    means: 'The instance is paused or terminated, or its policy was not applied yet.',
  },
  RUN_ENDED: { status: 410, means: 'The run was cancelled, has ended, or another runner owns it.' },
  RUN_OWNER_UNAVAILABLE: { status: 503, means: "The run's owner does not answer; nothing was called." },
  POLICY_UNAVAILABLE: {
    status: 503,
    means: 'The applied policies or the connector definition cannot be read now; nothing was called.',
  },
  AUDIT_UNAVAILABLE: {
    status: 503,
    means:
      'The decision cannot be written down, so nothing was called; or how the call ended cannot, and its result is withheld.',
  },
  SECRET_STORE_UNAVAILABLE: {
    status: 503,
    means: 'The secret store is sealed, slow or away; nothing was called.',
  },
  SECRET_DENIED: { status: 502, means: "The secret store's own policy refuses the gateway this secret." },
  IDEMPOTENCY_CONFLICT: { status: 409, means: 'The idempotency key was used for another call.' },
  IDEMPOTENCY_IN_PROGRESS: {
    status: 409,
    means: 'The call with this idempotency key is under way, or its outcome is not known.',
  },
  TOO_MANY_CALLS: { status: 429, means: 'More calls are under way than the gateway or the run may have.' },
  EGRESS_DENIED: { status: 403, means: 'The address is not one that this connector may call.' },
  REDIRECT_BLOCKED: { status: 502, means: 'The upstream answered with a redirect, which is never followed.' },
  RESPONSE_TOO_LARGE: { status: 502, means: 'The upstream answered more than the connector allows.' },
  UPSTREAM_TIMEOUT: { status: 504, means: 'The upstream did not answer in time.' },
  UPSTREAM_UNAVAILABLE: { status: 502, means: 'The upstream could not be reached or broke off.' },
  UPSTREAM_INVALID: {
    status: 502,
    means: 'The upstream answered what its protocol or the output schema does not allow.',
  },
  TOOL_DEFINITION_CHANGED: {
    status: 409,
    means: 'The upstream MCP server describes this tool otherwise than when it was approved.',
  },
  CONNECTOR_KIND_NOT_SERVED: {
    status: 501,
    means: 'This gateway has no adapter for the kind of this connector.',
  },
} as const satisfies Readonly<Record<string, { status: number; means: string }>>;

export type ToolRefusalCode = keyof typeof toolRefusals;

/** Thrown inside the pipeline to end a call; `message` is for people and never holds what a caller or an upstream said in confidence. */
export class ToolRefusal extends Error {
  override readonly name = 'ToolRefusal';
  readonly code: ToolRefusalCode;
  readonly facts: Readonly<Record<string, unknown>>;
  constructor(
    code: ToolRefusalCode,
    message: string = toolRefusals[code].means,
    facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}
