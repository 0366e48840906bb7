import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid, type Uuid } from '@agentstore/kernel/ids';
import { policyRules, toolGrants } from '../connectors/connector.ts';
import type { Room } from '../deps.ts';
import { currentVersion, planBy } from '../offerings/offerings.store.ts';
import { projectsOf } from '../organizations/organizations.store.ts';
import { effectiveConfig } from './effective-config.ts';
import {
  claimDesired,
  instanceById,
  runFactsOf,
  settledDesired,
  type DesiredState,
  type RunFacts,
} from './instances.store.ts';
import { noteCommitted, noteDelayed, noteDrifted, observeInstance } from './observe-instance.ts';
import { requestInstance } from './request-instance.ts';

const notFound = (what: string) =>
  new ProblemError({
    status: 404,
    code: `${what.toUpperCase()}_NOT_FOUND`,
    title: `There is no such ${what}.`,
  });
const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z.string(),
  message: z.string(),
  observedGeneration: z.int(),
  lastTransitionTime: z.string(),
});

const generations = z.array(z.object({ instanceId: z.uuid(), generation: z.int() })).max(500);

/** For the services that run, write and observe instances. */
export function instanceRoutes(app: ServiceApp, room: Room): void {
  app.post('/instances', async (c) => {
    const scope = serviceScope(c.var.caller, 'instance:provision');
    const body = await readJson(
      c,
      z.object({
        organizationId: z.uuid(),
        projectId: z.uuid().optional(),
        offeringId: z.uuid(),
        planId: z.uuid(),
        name: z.string().max(100).optional(),
        idempotencyKey: z.string().regex(/^[\x20-\x7e]{1,200}$/),
        order: z.object({ saleorApiUrl: z.string(), orderId: z.string(), lineId: z.string() }).optional(),
      }),
    );
    const { instance, created } = await room.db.transaction(scope, async (tx) => {
      const [version, plan, projects] = [
        await currentVersion(tx, body.offeringId),
        await planBy(tx, { id: body.planId }),
        await projectsOf(tx, body.organizationId),
      ];
      const projectId = body.projectId ?? projects[0]?.id;
      if (!version || plan?.offeringId !== body.offeringId) throw notFound('plan');
      if (!projectId || !projects.some(({ id }) => id === projectId)) throw notFound('project');
      const requested = await requestInstance(tx, {
        ...body,
        projectId,
        offeringVersionId: version.id,
        name: body.name ?? plan.name,
      });
      if (requested.instance.planId !== plan.id || requested.instance.projectId !== projectId)
        throw new ProblemError({
          status: 409,
          code: 'IDEMPOTENCY_CONFLICT',
          title: 'This key was used for another instance.',
        });
      return requested;
    });
    return json(instance, created ? 201 : 200);
  });
  app.get('/instances/:id', async (c) => {
    const instance = await room.db.transaction(serviceScope(c.var.caller, 'instance:entitlements'), (tx) =>
      instanceById(tx, uuidOf(c.req.param('id'))),
    );
    if (!instance) throw notFound('instance');
    return json(instance);
  });
  app.get('/instances/:id/entitlements', async (c) => {
    const facts = await room.db.transaction(serviceScope(c.var.caller, 'instance:entitlements'), (tx) =>
      runFactsOf(tx, uuidOf(c.req.param('id'))),
    );
    if (!facts) throw notFound('instance');
    return json(entitlementsOf(facts));
  });
  app.post('/internal/gitops:claim', async (c) => {
    const scope = serviceScope(c.var.caller, 'gitops:write');
    const { writerId, limit, waitMs } = await readJson(
      c,
      z.object({ writerId: z.string(), limit: z.int().min(1).max(500), waitMs: z.int().min(0).max(30_000) }),
    );
    const patience = AbortSignal.any([AbortSignal.timeout(waitMs + 1), c.req.raw.signal]);
    for await (const _change of room.desiredChanges.follow('desired', patience)) {
      const items = await room.db.transaction(scope, (tx) => claimDesired(tx, { limit, writerId }));
      if (items.length || waitMs === 0) return json({ items: items.map(desiredOf) });
    }
    return json({ items: [] });
  });
  app.post('/internal/gitops:committed', async (c) => {
    const item = z.object({
      outboxId: z.uuid(),
      instanceId: z.uuid(),
      generation: z.int(),
      commit: z.string().regex(/^[0-9a-f]{40}$/),
    });
    await noteCommitted(
      room,
      c.var.caller,
      (await readJson(c, z.object({ items: z.array(item).max(500) }))).items,
    );
    return json({});
  });
  app.post('/internal/gitops:delayed', async (c) => {
    const body = z.object({
      items: generations,
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
    return json({ items: items.map(stateOf) });
  });
  app.post('/internal/gitops:drifted', async (c) => {
    const { items } = await readJson(c, z.object({ items: generations }));
    await noteDrifted(room, c.var.caller, items);
    return json({});
  });
  app.post('/internal/instances/:id/conditions', async (c) => {
    const body = await readJson(
      c,
      z.object({
        observedGeneration: z.int(),
        commit: z.string(),
        resources: z
          .array(z.object({ kind: z.string(), name: z.string(), conditions: z.array(conditionSchema) }))
          .max(20),
      }),
    );
    const state = await observeInstance(room, c.var.caller, {
      ...body,
      instanceId: uuidOf(c.req.param('id')),
    });
    if (!state) throw notFound('instance');
    return json({ state });
  });
}

const configOf = (facts: RunFacts) => effectiveConfig(facts.versionConfig, facts.planConfig, facts.config);

/** The state as far as runs are concerned: what is to go away, or whose version is at its end, takes no new one though it is still there. */
function runnableState({ desiredPhase, versionState, state }: RunFacts): string {
  if (desiredPhase === 'Terminated') return 'TERMINATED';
  return versionState === 'END_OF_LIFE' ? versionState : state;
}

const entitlementsOf = (facts: RunFacts) => ({
  instanceId: facts.instanceId,
  organizationId: facts.organizationId,
  projectId: facts.projectId,
  offeringId: facts.offeringId,
  offeringVersionId: facts.offeringVersionId,
  state: runnableState(facts),
  paused: facts.desiredPhase === 'Paused',
  desiredGeneration: facts.desiredGeneration,
  observedGeneration: facts.observedGeneration,
  plan: { id: facts.planId, code: facts.planCode },
  entitlements: facts.entitlements,
  effectiveConfig: configOf(facts),
  artifact: facts.artifact,
  limits: facts.limits,
  toolGrants: toolGrants(facts),
});

const desiredOf = (state: DesiredState) => ({
  ...stateOf(state),
  outboxId: state.outboxId,
  actor: state.actor,
  requestedAt: state.requestedAt,
});

/** What Git is to hold of an instance. */
const stateOf = (facts: RunFacts) => ({
  instanceId: facts.instanceId,
  generation: facts.desiredGeneration,
  organizationId: facts.organizationId,
  organizationSlug: facts.organizationSlug,
  projectId: facts.projectId,
  projectSlug: facts.projectSlug,
  actor: 'system:sweep',
  phase: facts.desiredPhase,
  offering: { id: facts.offeringId, slug: facts.offeringSlug },
  version: { id: facts.offeringVersionId, version: facts.version },
  artifact: facts.artifact,
  plan: { id: facts.planId, code: facts.planCode },
  config: configOf(facts),
  limits: facts.limits,
  entitlements: facts.entitlements,
  connectorRules: policyRules(facts),
});

function uuidOf(text: string): Uuid {
  if (!isUuid(text)) throw notFound('instance');
  return text;
}
