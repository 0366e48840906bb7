import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { citation, citationBounds } from '@agentstore/kernel/citation';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { noticeRefusals, type ActiveRun, type ActiveRuns, type NoticeRefusal } from './active-runs.ts';

const fence = z.int().min(1);
// The server takes 1 MiB of body; what of it becomes events is bounded by the run's limits.
const text = z.string().max(1_048_576);
const callBody = z.object({
  fence,
  toolCallId: z.uuid(),
  toolName: z.string().min(1).max(200),
  arguments: text,
});
const resultBody = z.object({
  fence,
  content: text,
  isError: z.boolean(),
  citations: z.array(citation).max(citationBounds.citations).default([]),
});

/** For the tool gateway: tells the run's owner of each call, before it is made and when it has ended. The fence is that of the run's token. */
export function toolCallRoutes(app: ServiceApp, active: ActiveRuns): void {
  const owned = (runId: string, of: number): ActiveRun | undefined => {
    const run = active.get(runId);
    return run?.fence === of ? run : undefined;
  };
  app.post('/internal/runs/:runId/tool-calls', async (c) => {
    serviceScope(c.var.caller, 'run:tool');
    const { toolCallId: id, ...call } = await readJson(c, callBody);
    const run = owned(c.req.param('runId'), call.fence);
    return answer(run ? await run.toolCallBegins({ id, ...call }) : 'RUN_FENCED');
  });
  app.post('/internal/runs/:runId/tool-calls/:toolCallId/result', async (c) => {
    serviceScope(c.var.caller, 'run:tool');
    const result = await readJson(c, resultBody);
    const run = owned(c.req.param('runId'), result.fence);
    return answer(run ? run.toolCallEnds(c.req.param('toolCallId'), result, result.citations) : 'RUN_FENCED');
  });
}

function answer(refusal: NoticeRefusal | undefined): Response {
  if (!refusal) return json({});
  throw new ProblemError({ code: refusal, ...noticeRefusals[refusal] });
}
