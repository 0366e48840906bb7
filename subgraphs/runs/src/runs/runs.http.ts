import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid, type Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { eventKinds } from '../events/run-event.ts';
import type { RunError, RunUsage } from './run.ts';
import { appendEvents, claimRuns, finishRun, renewLease } from './runs.store.ts';

const event = z.object({
  seq: z.int().min(1),
  kind: z.enum(eventKinds),
  at: z.iso.datetime(),
  payload: z.record(z.string(), z.unknown()),
});
const events = z.array(event).max(2_000);
const fence = z.int().min(1);
const leaseMs = z.int().min(1_000).max(120_000);
const fenced = new ProblemError({
  status: 409,
  code: 'RUN_FENCED',
  title: 'Another runner owns this run now, or it has ended.',
});

/** For runners: take runs, append their events, keep the lease, end them. Every write carries the fence. */
export function runRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/runs:claim', async (c) => {
    const scope = serviceScope(c.var.caller, 'run:execute');
    const { waitMs, ...claim } = await readJson(
      c,
      z.object({
        runnerId: z.string().max(100),
        limit: z.int().min(1).max(100),
        leaseMs,
        waitMs: z.int().min(0).max(30_000),
      }),
    );
    const patience = AbortSignal.any([AbortSignal.timeout(waitMs + 1), c.req.raw.signal]);
    for await (const _bell of room.queueChanges.follow('queue', patience)) {
      const runs = await room.db.transaction(scope, (tx) => claimRuns(tx, claim));
      if (runs.length || waitMs === 0)
        return json({
          runs: runs.map(({ history, ...run }) => ({
            ...run,
            takenOver: run.attempt > 1,
            history: history.flatMap((turn) => (turn as unknown as { pair: object[] }).pair),
          })),
        });
    }
    return json({ runs: [] });
  });
  app.post('/internal/runs/:id/events', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const body = await readJson(c, z.object({ fence, events }));
    return answer(await appendEvents(room.db, { ...body, runId: runOf(c.req.param('id')) }));
  });
  app.post('/internal/runs/:id/heartbeat', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const body = await readJson(c, z.object({ fence, leaseMs }));
    const kept = await renewLease(room.db, { ...body, runId: runOf(c.req.param('id')) });
    if (!kept) throw fenced;
    return json(kept);
  });
  app.post('/internal/runs/:id/finish', async (c) => {
    serviceScope(c.var.caller, 'run:execute');
    const body = await readJson(
      c,
      z.object({
        fence,
        state: z.enum(['SUCCEEDED', 'FAILED', 'CANCELLED']),
        output: z.string().nullable(),
        usage: z.record(z.string(), z.unknown()).nullable(),
        error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
        charge: z.string().regex(/^\d+$/).nullable(),
        events,
      }),
    );
    return answer(
      await finishRun(room.db, {
        ...body,
        runId: runOf(c.req.param('id')),
        usage: body.usage as RunUsage | null,
        error: body.error as RunError | null,
      }),
    );
  });
}

function answer(result: object): Response {
  if (!('refused' in result)) return json(result);
  if (result.refused === 'RUN_FENCED') throw fenced;
  const { refused: code, ...facts } = result as { refused: string };
  throw new ProblemError({
    ...facts,
    status: code === 'RUN_NOT_FOUND' ? 404 : 409,
    code,
    title: code === 'SEQ_GAP' ? 'Events must follow each other without holes.' : 'There is no such run.',
  });
}

function runOf(text: string): Uuid {
  if (!isUuid(text))
    throw new ProblemError({ status: 404, code: 'RUN_NOT_FOUND', title: 'There is no such run.' });
  return text;
}
