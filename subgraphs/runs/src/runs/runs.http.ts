import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { originSchema } from '@agentstore/kernel/http/origin';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid, type Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { eventKinds } from '../events/run-event.ts';
import {
  appendEvents,
  claimRuns,
  decideEnd,
  finishRun,
  handBack,
  renewLease,
  type ClaimedRun,
  type OwnerRefusal,
} from './owned-runs.store.ts';
import { runTokenOf } from './run-token.ts';
import { runErrorCodes, type RunErrorCode } from './run.ts';

const fence = z.int().min(1);
const leaseMs = z.int().min(1_000).max(120_000);
const event = z.object({
  seq: z.int().min(1),
  kind: z.enum(eventKinds),
  at: z.iso.datetime(),
  payload: z.record(z.string(), z.unknown()),
});

const claimBody = z.object({
  runnerId: z.string().min(1).max(100),
  ownerUrl: originSchema,
  limit: z.int().min(1).max(100),
  leaseMs,
  waitMs: z.int().min(0).max(30_000),
});
const appendBody = z.object({ fence, events: z.array(event).max(2_000) });
const usageSoFar = z
  .array(z.object({ dimension: z.string().max(50), quantity: z.string().regex(/^\d{1,18}$/) }))
  .max(50);
const heartbeatBody = z.object({ fence, leaseMs, usage: usageSoFar.optional() });
const handBackBody = z.object({ fence });
const count = z.int().min(0).nullable();
const runUsage = z.object({
  status: z.enum(['REPORTED', 'PARTIAL', 'MISSING']),
  models: z
    .array(
      z.object({
        provider: z.string(),
        model: z.string().nullable(),
        inputTokens: count,
        outputTokens: count,
        totalTokens: count,
      }),
    )
    .max(100),
  toolCalls: z.int().min(0),
  durationMs: z.int().min(0),
});
const endingBody = z
  .object({
    fence,
    state: z.enum(['SUCCEEDED', 'FAILED', 'CANCELLED']),
    output: z.string().nullable(),
    usage: runUsage.nullable(),
    error: z
      .object({
        code: z.enum(Object.keys(runErrorCodes) as [RunErrorCode, ...RunErrorCode[]]),
        message: z.string().max(1_000),
        retryable: z.boolean(),
      })
      .nullable(),
    billed: usageSoFar,
  })
  .refine(({ state, error }) => (state === 'FAILED') === (error !== null), {
    message: 'a failed run, and no other, has an error',
    path: ['error'],
  });
const finishBody = z.object({ fence, charge: z.string().regex(/^\d+$/).nullable() });

/** For runners: take runs, append their events, keep the lease, end them. Every write carries the fence. */
export function runRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/runs:claim', async (c) => {
    const scope = serviceScope(c.var.caller, 'run:execute');
    const { waitMs, ownerUrl, ...claim } = await readJson(c, claimBody);
    const patience = AbortSignal.any([AbortSignal.timeout(waitMs), c.req.raw.signal]);
    let runs: ClaimedRun[] = [];
    // Looks at once, then after each doorbell.
    for await (const _bell of room.queueChanges.follow('queue', patience)) {
      runs = await room.db.transaction(scope, (tx) => claimRuns(tx, claim));
      if (runs.length > 0) break;
    }
    return json({ runs: await Promise.all(runs.map((run) => wireOf(room, run, ownerUrl))) });
  });
  app.post('/internal/runs/:id/events', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const body = await readJson(c, appendBody);
    return answer(await appendEvents(room.db, { ...body, runId: runOf(c.req.param('id')) }));
  });
  app.post('/internal/runs/:id/heartbeat', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const { usage, ...body } = await readJson(c, heartbeatBody);
    const kept = await renewLease(room.db, { ...body, checkpoint: usage, runId: runOf(c.req.param('id')) });
    return answer(kept ?? { refused: 'RUN_FENCED' });
  });
  app.post('/internal/runs/:id/hand-back', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const body = await readJson(c, handBackBody);
    const done = await handBack(room.db, { ...body, runId: runOf(c.req.param('id')) });
    return answer(done ? {} : { refused: 'RUN_FENCED' });
  });
  app.post('/internal/runs/:id/ending', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const { fence: owner, ...ending } = await readJson(c, endingBody);
    return answer(await decideEnd(room.db, { runId: runOf(c.req.param('id')), fence: owner, ending }));
  });
  app.post('/internal/runs/:id/finish', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const body = await readJson(c, finishBody);
    return answer(await finishRun(room.db, { ...body, runId: runOf(c.req.param('id')) }));
  });
}

/** A claimed run on the wire: the conversation as messages, whether somebody had it before, and its token for the tool gateway. */
const wireOf = async (room: Room, claimed: ClaimedRun, owner: string) => {
  const { history, projectId: _project, toolGrants: _grants, ...run } = claimed;
  return {
    ...run,
    takenOver: run.attempt > 1,
    history: history.flatMap(({ input, output }) => [
      { role: 'user', content: input },
      { role: 'assistant', content: output },
    ]),
    runToken: await runTokenOf(room, claimed, owner),
  };
};

const titles: Readonly<Record<OwnerRefusal, string>> = {
  RUN_FENCED: 'Another runner owns this run now, or it has ended.',
  RUN_NOT_FOUND: 'There is no such run.',
  SEQ_GAP: 'Events must follow each other without holes.',
  SEQ_CONFLICT: 'Another event has this seq already.',
  NOT_DECIDED: 'How the run ends is to be decided before it is finished.',
};

function answer(result: object | { readonly refused: OwnerRefusal }): Response {
  if (!('refused' in result)) return json(result);
  const { refused: code, ...facts } = result;
  throw new ProblemError({
    ...facts,
    status: code === 'RUN_NOT_FOUND' ? 404 : 409,
    code,
    title: titles[code],
  });
}

function runOf(text: string): Uuid {
  if (!isUuid(text))
    throw new ProblemError({ status: 404, code: 'RUN_NOT_FOUND', title: titles.RUN_NOT_FOUND });
  return text;
}
