import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid, type Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { claimDesired, settledDesired } from './desired-state.store.ts';
import { noteCommitted, noteDelayed, noteDrifted, observeKnowledgeBase } from './observe-knowledge-base.ts';
import { provisionKnowledgeBase } from './provision-knowledge-base.ts';

const generation = z.object({ knowledgeBaseId: z.uuid(), generation: z.int() });
const condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  observedGeneration: z.int(),
  lastTransitionTime: z.string(),
});

/** For the worker that writes desired state to Git and observes what is applied: the protocol of the control plane, about knowledge bases. */
export function desiredStateRoutes(app: ServiceApp, room: Room): void {
  app.post('/internal/gitops:claim', async (c) => {
    const scope = serviceScope(c.var.caller, 'gitops:write');
    const { writerId, limit, waitMs } = await readJson(
      c,
      z.object({ writerId: z.string(), limit: z.int().min(1).max(500), waitMs: z.int().min(0).max(30_000) }),
    );
    const patience = AbortSignal.any([AbortSignal.timeout(waitMs + 1), c.req.raw.signal]);
    for await (const _bell of room.documentChanges.follow('desired', patience)) {
      const items = await room.db.transaction(scope, (tx) => claimDesired(tx, { limit, writerId }));
      if (items.length || waitMs === 0) return json({ items });
    }
    return json({ items: [] });
  });
  app.post('/internal/gitops:committed', async (c) => {
    const item = generation.extend({ outboxId: z.uuid(), commit: z.string().regex(/^[0-9a-f]{40}$/) });
    const { items } = await readJson(c, z.object({ items: z.array(item).max(500) }));
    await noteCommitted(room, c.var.caller, items);
    return json({});
  });
  app.post('/internal/gitops:delayed', async (c) => {
    const body = z.object({
      items: z.array(generation).max(500),
      reason: z.string().regex(/^[A-Z][A-Z_]{0,62}$/),
      message: z.string().max(1_024),
    });
    await noteDelayed(room, c.var.caller, await readJson(c, body));
    return json({});
  });
  app.post('/internal/gitops:settled', async (c) => {
    const scope = serviceScope(c.var.caller, 'gitops:write');
    const page = await readJson(c, z.object({ after: z.uuid().optional(), limit: z.int().min(1).max(500) }));
    const items = await room.db.transaction(scope, (tx) =>
      settledDesired(tx, { after: page.after ?? null, limit: page.limit }),
    );
    return json({ items });
  });
  app.post('/internal/gitops:drifted', async (c) => {
    const { items } = await readJson(c, z.object({ items: z.array(generation).max(500) }));
    await noteDrifted(room, c.var.caller, items);
    return json({});
  });
  app.post('/internal/knowledge-bases/:id/engine', async (c) => {
    const seen = await provisionKnowledgeBase(room, c.var.caller, uuidOf(c.req.param('id')));
    if (!seen) throw notFound();
    return json(seen);
  });
  app.post('/internal/knowledge-bases/:id/conditions', async (c) => {
    const resource = z.object({ kind: z.string(), name: z.string(), conditions: z.array(condition) });
    const body = await readJson(
      c,
      z.object({ observedGeneration: z.int(), commit: z.string(), resources: z.array(resource).max(20) }),
    );
    const state = await observeKnowledgeBase(room, c.var.caller, uuidOf(c.req.param('id')), body);
    if (!state) throw notFound();
    return json({ state });
  });
}

const notFound = (): ProblemError =>
  new ProblemError({
    status: 404,
    code: 'KNOWLEDGE_BASE_NOT_FOUND',
    title: 'There is no such knowledge base.',
  });

function uuidOf(text: string): Uuid {
  if (!isUuid(text)) throw notFound();
  return text;
}
