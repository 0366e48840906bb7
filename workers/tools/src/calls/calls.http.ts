import { ProblemError, problemResponse } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { z } from 'zod';
import { ToolRefusal, toolRefusals } from './refusals.ts';
import type { ToolAnswer, ToolCall, ToolCalls } from './tool-call.ts';

const invocation = z.object({
  arguments: z.unknown().optional(),
  bindingId: z.unknown().optional(),
  organizationId: z.unknown().optional(),
  projectId: z.unknown().optional(),
});

/** `POST /v1/tools/{toolId}:invoke`: the pipeline over REST, with problem+json. */
export function callRoutes(
  app: ServiceApp,
  { calls, publicOrigin }: { readonly calls: ToolCalls; readonly publicOrigin: string },
): void {
  app.post('/v1/tools/:action', async (c) => {
    const [toolId, verb] = splitLast(c.req.param('action'));
    if (verb !== 'invoke')
      throw new ProblemError({ status: 404, code: 'NOT_FOUND', title: 'A tool can only be invoked.' });
    try {
      const grant = await calls.authenticate(c.req.header('authorization') ?? null);
      const sent = await readJson(c, invocation);
      const key = c.req.header('idempotency-key');
      const client = c.req.header('user-agent');
      const call: ToolCall = {
        channel: 'REST',
        toolId,
        arguments: sent.arguments,
        bindingId: sent.bindingId,
        claimed: {
          organizationId: sent.organizationId ?? c.req.header('x-organization-id'),
          projectId: sent.projectId ?? c.req.header('x-project-id'),
        },
        signal: c.req.raw.signal,
        ...(key === undefined ? {} : { idempotencyKey: key }),
        ...(client === undefined ? {} : { client }),
      };
      return answer(await calls.invoke(grant, call));
    } catch (error) {
      if (error instanceof ToolRefusal && error.code === 'UNAUTHENTICATED') return unauthenticated(error);
      throw error;
    }
  });

  const unauthenticated = (refusal: ToolRefusal): Response =>
    problemResponse(
      { status: 401, code: refusal.code, title: refusal.message },
      {
        'www-authenticate': `Bearer resource_metadata="${publicOrigin}/.well-known/oauth-protected-resource"`,
      },
    );
}

function answer(end: ToolAnswer): Response {
  if (end.ok) return json({ auditId: end.auditId, result: end.result, replayed: end.replayed });
  const { code, message, facts, auditId } = end;
  const { retryAfterSeconds } = facts;
  return problemResponse(
    { ...facts, status: toolRefusals[code].status, code, title: message, auditId },
    typeof retryAfterSeconds === 'number' ? { 'retry-after': String(retryAfterSeconds) } : {},
  );
}

/** A tool's id may hold anything a caller writes: the verb is what stands behind the last colon. */
function splitLast(action: string): [toolId: string, verb: string] {
  const at = action.lastIndexOf(':');
  return at < 0 ? [action, ''] : [action.slice(0, at), action.slice(at + 1)];
}
