import { within } from '@agentstore/kernel/deadline';
import { SecretDenied, SecretMissing } from '@agentstore/kernel/vault/secret-store';
import { secretFieldsOf } from '@agentstore/kernel/connector-definition';
import { validatorOf } from '../connectors/json-schema.ts';
import type { SecretLease } from '../secrets/secret-cache.ts';
import type { Room } from '../room.ts';
import { upstreamCall } from '../telemetry.ts';
import { UpstreamRefusal, type UpstreamFacts } from '../upstream/upstream.ts';
import type { Plan } from './plan-call.ts';
import { redactResult } from './redact.ts';
import { ToolRefusal } from './refusals.ts';
import type { ToolResult } from './tool-call.ts';

/** How much of a text of a failed call a model is shown. */
const mostErrorText = 4_000;

/** How a planned call ended, and what is audited of it. */
export interface Ended {
  readonly end: ToolResult | ToolRefusal;
  readonly secretVersion: number | null;
  readonly secretMs: number;
  /** Null when no upstream was asked. */
  readonly facts: UpstreamFacts | null;
  readonly redactions: readonly string[];
}

/** Reads the secret, calls, checks and masks. It never throws; a call that was aborted says what aborted it. */
export const callUpstream = (room: Room, plan: Plan, caller: AbortSignal): Promise<Ended> =>
  upstreamCall(plan.rule.tool, plan.origin, {
    work: () => call(room, plan, caller),
    endOf: ({ end }) => (end instanceof ToolRefusal ? end.code : end.isError ? 'tool_error' : undefined),
  });

async function call(room: Room, plan: Plan, caller: AbortSignal): Promise<Ended> {
  const { bindingId } = plan.rule;
  const { timeoutMs } = plan.definition;
  if (bindingId === undefined)
    return within(timeoutMs, [caller], (signal) => attempt(room, plan, { signal }));
  return room.access.during(bindingId, async (revoked) => {
    const ended = await within(timeoutMs, [caller, revoked], (signal) =>
      untilAccepted(room, plan, { bindingId, signal }),
    );
    return revoked.aborted ? { ...ended, end: new ToolRefusal('BINDING_REVOKED') } : ended;
  });
}

/** A secret that the upstream does not take may have been replaced meanwhile: then the call is made once more, with the new one. */
async function untilAccepted(
  room: Room,
  plan: Plan,
  { bindingId, signal }: { bindingId: string; signal: AbortSignal },
): Promise<Ended> {
  const first = await attempt(room, plan, { bindingId, signal });
  if (first.facts?.upstreamStatus !== 401) {
    if (first.facts) room.observed.used(bindingId, false);
    return first;
  }
  room.secrets.drop(bindingId);
  const second = await attempt(room, plan, { bindingId, signal, unlike: first.secretVersion });
  const last = second.facts ? second : first;
  room.observed.used(bindingId, last.facts?.upstreamStatus === 401);
  return last;
}

async function attempt(
  room: Room,
  plan: Plan,
  how: { bindingId?: string; signal: AbortSignal; unlike?: number | null },
): Promise<Ended> {
  const { definition, tool, grant, upstream, origin } = plan;
  const began = performance.now();
  let lease: SecretLease | null = null;
  let secretMs = 0;
  let facts: UpstreamFacts | null = null;
  const ended = (end: Ended['end'], redactions: readonly string[] = []): Ended => ({
    end,
    secretVersion: lease?.secret.version ?? null,
    secretMs,
    facts,
    redactions,
  });
  try {
    how.signal.throwIfAborted();
    if (secretFieldsOf(definition).length) {
      if (how.bindingId === undefined) throw new ToolRefusal('BINDING_NOT_FOUND');
      lease = await room.secrets.lease({ ...tenantOf(plan), bindingId: how.bindingId }).catch(asRefusal);
      secretMs = performance.now() - began;
      if (how.unlike !== undefined && how.unlike === lease.secret.version)
        return ended(new ToolRefusal('UPSTREAM_UNAVAILABLE'));
      how.signal.throwIfAborted();
    }
    const answer = await upstream.call({
      definition,
      definitionHash: plan.rule.definition,
      tool,
      tenant: tenantOf(plan),
      arguments: plan.arguments,
      secret: lease?.secret ?? null,
      credentialId: lease ? `${grant.organizationId}/${how.bindingId}@${lease.secret.version}` : 'none',
      idempotencyKey: plan.idempotencyKey,
      egress: origin === null ? null : room.egress.route(origin),
      signal: how.signal,
      deadline: began + definition.timeoutMs,
    });
    facts = answer;
    fitOutput(plan, answer.result);
    const masked = redactResult(answer.result, lease?.secret ?? null);
    return ended(shortened(masked.result), masked.redactions);
  } catch (error) {
    if (error instanceof UpstreamRefusal) facts = error.seen;
    return ended(refusalOf(room, error));
  } finally {
    lease?.release();
  }
}

const tenantOf = ({ grant }: Plan) => ({
  organizationId: grant.organizationId,
  projectId: grant.projectId,
});

/** An error that is no longer than it may be; what is cut is masked before, because a part of a secret is no longer known as one. */
const shortened = (result: ToolResult): ToolResult =>
  result.isError
    ? {
        ...result,
        content: result.content.map((block) =>
          typeof block['text'] === 'string'
            ? { ...block, text: block['text'].slice(0, mostErrorText) }
            : block,
        ),
      }
    : result;

/** A good answer is what the definition promised. Where it is not, is told by the rule alone: the place may be named by the upstream, and with the secret. */
function fitOutput({ tool }: Plan, result: ToolResult): void {
  if (!tool.outputSchema || result.isError) return;
  const fault = validatorOf(tool.outputSchema)(result.structuredContent);
  if (fault) throw new ToolRefusal('UPSTREAM_INVALID', undefined, { rule: fault.rule });
}

function asRefusal(error: unknown): never {
  if (error instanceof SecretMissing) throw new ToolRefusal('BINDING_SECRET_MISSING');
  if (error instanceof SecretDenied) throw new ToolRefusal('SECRET_DENIED');
  throw new ToolRefusal('SECRET_STORE_UNAVAILABLE', undefined, { retryAfterSeconds: 2 });
}

function refusalOf(room: Room, error: unknown): ToolRefusal {
  if (error instanceof ToolRefusal) return new ToolRefusal(error.code, error.message, error.facts);
  if ((error as Error).name === 'TimeoutError') return new ToolRefusal('UPSTREAM_TIMEOUT');
  // Its words may be the upstream's, which could hold the secret.
  room.log.warn({ fault: (error as Error).name }, 'an upstream call broke off');
  return new ToolRefusal('UPSTREAM_UNAVAILABLE');
}
