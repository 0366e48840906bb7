import type { Room } from '../room.ts';
import { citationsOf } from '../upstream/rag/rag-upstream.ts';
import { servedCall } from '../telemetry.ts';
import { draftOf, type AuditDraft } from './audit-draft.ts';
import { callUpstream, type Ended } from './call-upstream.ts';
import { allowedRules } from './decide-call.ts';
import { planCall, standingOf, toolOf, type Plan } from './plan-call.ts';
import { ToolRefusal } from './refusals.ts';
import type { Grant, ToolAnswer, ToolCall, ToolCalls, ToolResult, VisibleTool } from './tool-call.ts';

/** A bearer that could be a run token at all: an unset variable of a flow arrives as it is written. */
const bearer = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;

/**
 * The one pipeline behind REST and MCP: token → policy → schema → idempotency → audit and owner → secret → egress → call → cap → redaction → audit.
 * Nothing is read or called before its decision is written down.
 */
export function createToolCalls(room: Room): ToolCalls {
  return {
    async authenticate(authorization) {
      const token = bearer.exec(authorization ?? '')?.[1];
      if (token === undefined) throw new ToolRefusal('UNAUTHENTICATED');
      try {
        return await room.runTokens(token);
      } catch {
        throw new ToolRefusal('UNAUTHENTICATED');
      }
    },
    async list(grant) {
      const { standing } = await standingOf(room, grant);
      const found = await Promise.all(
        allowedRules(grant, standing).map(async (rule): Promise<VisibleTool> => {
          const { tool } = await toolOf(room, rule);
          return {
            toolId: rule.tool,
            title: tool.title,
            description: tool.description,
            inputSchema: tool.inputSchema,
            ...(tool.outputSchema ? { outputSchema: tool.outputSchema } : {}),
            risk: tool.risk,
          };
        }),
      );
      return found.sort((a, b) => (a.toolId < b.toolId ? -1 : 1));
    },
    invoke: (grant, call) => {
      const draft = draftOf(grant, call);
      // A name that a caller made up would be a time series of its own.
      const measured = grant.tools.includes(draft.toolId) ? draft.toolId : 'unknown';
      return servedCall(measured, { work: () => decided(grant, call, draft), endOf: faultOf });
    },
  };

  async function decided(grant: Grant, call: ToolCall, draft: AuditDraft): Promise<ToolAnswer> {
    let leave: (() => void) | undefined;
    try {
      leave = room.limits.enter(grant.runId);
      const plan = await planCall(room, grant, call, draft);
      const replayed = await claimed(room, plan);
      return replayed ? await replay(room, draft, replayed) : await carryOut(room, plan, { draft, call });
    } catch (error) {
      return await refuse(room, draft, error);
    } finally {
      leave?.();
    }
  }
}

/** What a measurement says of an answer. */
const faultOf = (answer: ToolAnswer): string | undefined =>
  answer.ok ? (answer.result.isError ? 'tool_error' : undefined) : answer.code;

/** Writes the refusal down; one that cannot be written stays a refusal. */
async function refuse(room: Room, draft: AuditDraft, error: unknown): Promise<ToolAnswer> {
  if (!(error instanceof ToolRefusal)) throw error;
  const written = await attempted(room, () =>
    room.audit.decided({ ...draft, decision: 'DENIED', reason: error.code }),
  );
  return answerOf(draft, written ? error : new ToolRefusal('AUDIT_UNAVAILABLE'));
}

/** The result that is kept under the call's key; undefined when the call is to be made now. Throws the refusals of a key that is in use. */
async function claimed(room: Room, { key }: Plan): Promise<ToolResult | undefined> {
  if (!key) return undefined;
  const claim = await room.keys.claim(key).catch((error: unknown) => {
    room.log.error({ err: error }, 'an idempotency key cannot be claimed');
    throw new ToolRefusal('AUDIT_UNAVAILABLE');
  });
  switch (claim.kind) {
    case 'CLAIMED':
      return undefined;
    case 'REPLAYED':
      return claim.result;
    case 'CONFLICT':
      throw new ToolRefusal('IDEMPOTENCY_CONFLICT');
    case 'IN_PROGRESS':
      throw new ToolRefusal('IDEMPOTENCY_IN_PROGRESS', undefined, { retryAfterSeconds: 2 });
  }
}

async function replay(room: Room, draft: AuditDraft, result: ToolResult): Promise<ToolAnswer> {
  const nothing: Ended = { end: result, secretVersion: null, secretMs: 0, facts: null, redactions: [] };
  const written = await attempted(room, async () => {
    await room.audit.decided({ ...draft, decision: 'ALLOWED', reason: 'ALLOWED_BY_POLICY' });
    await complete(room, draft, nothing, 0);
  });
  return answerOf(draft, written ? result : new ToolRefusal('AUDIT_UNAVAILABLE'), true);
}

/** From here on the call is decided: its end is written down whatever it is. */
async function carryOut(
  room: Room,
  plan: Plan,
  { draft, call }: { draft: AuditDraft; call: ToolCall },
): Promise<ToolAnswer> {
  const began = performance.now();
  const { grant, key } = plan;
  let toldOwner = true;
  let refusal: ToolRefusal | undefined;
  const [written] = await Promise.all([
    attempted(room, () => room.audit.decided({ ...draft, decision: 'ALLOWED', reason: 'ALLOWED_BY_POLICY' })),
    room.owner
      .started(grant, { id: draft.id, toolId: plan.rule.tool, arguments: plan.argumentsText })
      .catch((error: unknown) => {
        toldOwner = false;
        refusal = error instanceof ToolRefusal ? error : new ToolRefusal('RUN_OWNER_UNAVAILABLE');
      }),
  ]);
  if (!written) refusal = new ToolRefusal('AUDIT_UNAVAILABLE');
  const ended: Ended = refusal
    ? { end: refusal, secretVersion: null, secretMs: 0, facts: null, redactions: [] }
    : await callUpstream(room, plan, call.signal);
  // None of them waits for another: the caller waits for all.
  const [isKnown] = await Promise.all([
    !written || attempted(room, () => complete(room, draft, ended, performance.now() - began)),
    key && attempted(room, () => settleKey(room, { ...plan, key }, ended)),
    toldOwner && attempted(room, () => room.owner.ended(grant, { id: draft.id, ...toldOf(plan, ended) })),
  ]);
  return answerOf(draft, isKnown ? ended.end : new ToolRefusal('AUDIT_UNAVAILABLE'));
}

/** A result is kept. A call that came to none may be made again under its key only when that can do no harm. */
async function settleKey(
  room: Room,
  { key, tool }: Plan & { key: NonNullable<Plan['key']> },
  ended: Ended,
): Promise<void> {
  if (!(ended.end instanceof ToolRefusal)) await room.keys.keep(key, ended.end);
  else if (tool.risk === 'READ' || !ended.facts?.sent) await room.keys.free(key);
}

const complete = (
  room: Room,
  { id, organizationId }: AuditDraft,
  ended: Ended,
  latencyMs: number,
): Promise<void> =>
  room.audit.completed({
    id,
    organizationId,
    outcome: outcomeOf(ended.end),
    secretVersion: ended.secretVersion,
    destination: ended.facts?.destination ?? null,
    method: ended.facts?.method ?? null,
    upstreamStatus: ended.facts?.upstreamStatus ?? null,
    attempts: ended.facts?.attempts ?? 0,
    bytesOut: ended.facts?.bytesOut ?? 0,
    bytesIn: ended.facts?.bytesIn ?? 0,
    latencyMs,
    secretMs: ended.secretMs,
    redactions: ended.redactions,
  });

const outcomeOf = (end: Ended['end']): string =>
  end instanceof ToolRefusal ? end.code : end.isError ? 'TOOL_ERROR' : 'OK';

/** What the run's events say of the end: a refusal's code, or the result. Only the store's own knowledge bases are cited: others could say anything. */
const toldOf = ({ definition }: Plan, { end }: Ended) =>
  end instanceof ToolRefusal
    ? { result: { content: [{ type: 'text', text: end.code }], isError: true }, citations: [] }
    : { result: end, citations: definition.kind === 'RAG' ? citationsOf(end) : [] };

function answerOf({ id }: AuditDraft, end: Ended['end'], replayed = false): ToolAnswer {
  return end instanceof ToolRefusal
    ? { ok: false, auditId: id, code: end.code, message: end.message, facts: end.facts }
    : { ok: true, auditId: id, result: end, replayed };
}

/** True when it was done; a fault is logged. */
async function attempted(room: Room, work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    room.log.error({ err: error }, 'a tool call could not be written down or told');
    return false;
  }
}
