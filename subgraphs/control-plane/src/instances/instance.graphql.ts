import { GraphQLError } from 'graphql';
import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { fromGlobalId, toGlobalId, type Uuid } from '@agentstore/kernel/ids';
import { builder, connection } from '../builder.ts';
import type { Room } from '../deps.ts';
import {
  EntitlementType,
  entitlementsIn,
  OfferingRef,
  OfferingVersionType,
  PlanType,
  readOffering,
  readPlan,
  readVersion,
} from '../offerings/offering.graphql.ts';
import { OrganizationRef, ProjectRef } from '../organizations/organization.graphql.ts';
import { organizationById, projectById } from '../organizations/organizations.store.ts';
import { OrderRef } from '../references.graphql.ts';
import { effectiveConfig } from './effective-config.ts';
import type { Instance } from './instance.ts';
import {
  instanceById,
  instancesOfOrder,
  instancesOfProject,
  runFactsOf,
  timelineLength,
  timelineOf,
} from './instances.store.ts';

const InstanceStateEnum = builder.enumType('InstanceState', {
  description: 'Where an instance stands. A failure while provisioning is a condition, not a state.',
  values: {
    REQUESTED: { description: 'Asked for; not in Git yet.' },
    PROVISIONING: { description: 'In Git; not yet observed ready.' },
    ACTIVE: { description: 'What was applied is observed ready: it can be run.' },
    PAUSED: { description: 'Kept, and refuses runs.' },
    TERMINATED: { description: 'Gone.' },
  } as const,
});

const ConditionType = builder.objectRef<Instance['conditions'][number]>('Condition').implement({
  description: 'One observed fact about an applied resource.',
  fields: (t) => ({
    resource: t.exposeString('resource', { description: 'Kind of the resource it is about, or Git.' }),
    type: t.exposeString('type', {
      description: 'Accepted or Ready; Committed of Git, once a commit had to wait.',
    }),
    status: t.exposeString('status', { description: 'True, False or Unknown.' }),
    reason: t.exposeString('reason', { description: 'A stable word for why.' }),
    message: t.exposeString('message', { description: 'A sentence for people.' }),
    observedGeneration: t.exposeInt('observedGeneration', {
      description: 'The generation it was observed at.',
    }),
    lastTransitionAt: t.field({
      type: 'DateTime',
      description: 'When its status last changed.',
      resolve: ({ lastTransitionTime }) => new Date(lastTransitionTime),
    }),
  }),
});

const InstanceEventType = builder
  .objectRef<Awaited<ReturnType<typeof timelineOf>>[number]>('InstanceEvent')
  .implement({
    description: 'One thing that happened to an instance.',
    fields: (t) => ({
      at: t.expose('at', { type: 'DateTime', description: 'When.' }),
      kind: t.exposeString('kind', {
        description:
          'requested, committed, applied, ready, active, pause-requested, paused, resume-requested, configured, plan-changed, tools-changed, drifted, terminate-requested, terminated or failed.',
      }),
      generation: t.exposeInt('generation', { description: 'Of which generation.' }),
      message: t.exposeString('message', { description: 'A sentence for people.' }),
      commit: t.exposeString('commit', {
        nullable: true,
        description: 'The commit that holds the desired state.',
      }),
      durationMs: t.exposeInt('durationMs', {
        nullable: true,
        description: 'Milliseconds since this generation was requested.',
      }),
    }),
  });

const InstanceEndpointType = builder
  .objectRef<{ path: string; widgetKey: string }>('InstanceEndpoint')
  .implement({
    description: 'Where an instance is reached.',
    fields: (t) => ({
      path: t.exposeString('path', { description: "Path on the store's public origin; POST a run here." }),
      widgetKey: t.exposeString('widgetKey', {
        description: 'Public key of its widget (wk_…), for the snippet of a page.',
      }),
    }),
  });

export const InstanceType = builder.objectRef<Instance>('Instance').implement({
  description: "One organization's running copy of an offering version.",
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Instance', id) }),
    name: t.exposeString('name', { description: 'For people.' }),
    project: t.field({
      type: ProjectRef,
      description: 'Where it belongs.',
      resolve: async (instance, _args, { deps, caller }) =>
        (await inScope(deps, caller, (tx) => projectById(tx, instance.projectId)))!,
    }),
    organization: t.field({
      type: OrganizationRef,
      description: 'Whose.',
      resolve: async (instance, _args, { deps, caller }) =>
        (await inScope(deps, caller, (tx) => organizationById(tx, instance.organizationId)))!,
    }),
    offering: t.field({
      type: OfferingRef,
      description: 'Of which offering.',
      resolve: async ({ offeringId }, _args, { deps }) => (await readOffering(deps, offeringId))!,
    }),
    version: t.field({
      type: OfferingVersionType,
      description: 'Which version.',
      resolve: async ({ offeringVersionId }, _args, { deps }) =>
        (await readVersion(deps, offeringVersionId))!,
    }),
    plan: t.field({
      type: PlanType,
      description: 'Under which plan.',
      resolve: async ({ planId }, _args, { deps }) => (await readPlan(deps, planId))!,
    }),
    order: t.field({
      type: OrderRef,
      nullable: true,
      description: 'The order it was bought with.',
      resolve: ({ saleorOrderId }) => (saleorOrderId ? { id: saleorOrderId } : null),
    }),
    state: t.expose('state', { type: InstanceStateEnum, description: 'Where it stands.' }),
    timeline: t.field({
      type: [InstanceEventType],
      description: 'What happened and when, per generation.',
      resolve: ({ id }, _args, { deps, caller }) => inScope(deps, caller, (tx) => timelineOf(tx, id)),
    }),
    desiredGeneration: t.exposeInt('desiredGeneration', { description: 'Counts what it should be.' }),
    observedGeneration: t.exposeInt('observedGeneration', {
      description: 'The newest generation that was applied.',
    }),
    conditions: t.field({
      type: [ConditionType],
      description: 'What is observed of its applied resources, and of its way into Git.',
      resolve: ({ conditions }) => [...conditions],
    }),
    endpoint: t.field({
      type: InstanceEndpointType,
      nullable: true,
      description: 'Where it is reached; null before its first readiness.',
      resolve: ({ id, observedGeneration, widgetKey }) =>
        observedGeneration > 0
          ? { path: `/v1/instances/${toGlobalId('Instance', id)}/runs`, widgetKey }
          : null,
    }),
    effectiveConfig: t.field({
      type: 'JSON',
      description: 'offering ← plan ← instance; secrets are never in it.',
      resolve: async ({ id }, _args, { deps, caller }) => {
        const facts = (await inScope(deps, caller, (tx) => runFactsOf(tx, id)))!;
        return effectiveConfig(facts.versionConfig, facts.planConfig, facts.config);
      },
    }),
    entitlements: t.field({
      type: [EntitlementType],
      description: 'What its plan gives.',
      resolve: async ({ planId, offeringId }, _args, { deps }) =>
        entitlementsIn(
          (await readOffering(deps, offeringId))!.capabilities,
          (await readPlan(deps, planId))!.entitlements,
        ),
    }),
  }),
});
builder.asEntity(InstanceType, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, { deps, caller }) => readInstance(deps, caller, fromGlobalId('Instance', id)),
});

const inScope = <T>(
  deps: Room,
  caller: Caller,
  read: Parameters<Room['db']['transaction']>[1] & ((tx: never) => Promise<T>),
): Promise<T> => deps.db.transaction(callerScope(caller, 'instance:read'), read as never);

/** An instance as far as the caller may see it. */
export async function readInstance(
  deps: Room,
  caller: Caller,
  id: Uuid | undefined,
): Promise<Instance | null> {
  return id ? ((await inScope(deps, caller, (tx) => instanceById(tx, id))) ?? null) : null;
}

const InstanceConnection = connection('Instance', InstanceType);
builder.objectField(ProjectRef, 'instances', (t) =>
  t.field({
    type: InstanceConnection,
    description: 'Its instances, oldest first.',
    args: {
      first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
      after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      state: t.arg({ type: [InstanceStateEnum], required: false, description: 'Only in these states.' }),
    },
    resolve: async (project, args, { deps, caller }) => {
      const page = pageRequest(args);
      return pageOf(
        await inScope(deps, caller, (tx) => instancesOfProject(tx, project.id, args.state ?? null, page)),
        page,
        ({ id }) => id,
      );
    },
  }),
);
builder.objectField(OrderRef, 'instances', (t) =>
  t.field({
    type: [InstanceType],
    description: 'What its plan lines became, as far as the caller may see it.',
    resolve: ({ id }, _args, { deps, caller }) =>
      caller.kind === 'ANONYMOUS' ? [] : inScope(deps, caller, (tx) => instancesOfOrder(tx, { orderId: id })),
  }),
);
builder.queryField('instance', (t) =>
  t.field({
    type: InstanceType,
    nullable: true,
    description: 'One instance; null when the caller does not belong there.',
    args: { id: t.arg.id({ description: 'Its id.' }) },
    resolve: (_root, { id }, { deps, caller }) => readInstance(deps, caller, fromGlobalId('Instance', id)),
  }),
);

builder.subscriptionField('instanceChanged', (t) =>
  t.field({
    type: InstanceType,
    description:
      'The instance now, and again each time its state, generation, conditions or timeline change.',
    args: { instanceId: t.arg.id({ description: 'Which.' }) },
    subscribe: (_root, { instanceId }, { deps, caller, request }) =>
      followInstance(deps, caller, { id: fromGlobalId('Instance', instanceId), signal: request.signal }),
    resolve: (instance) => instance,
  }),
);

async function* followInstance(
  deps: Room,
  caller: Caller,
  { id, signal }: { id: Uuid | undefined; signal: AbortSignal },
): AsyncGenerator<Instance> {
  let last = '';
  for await (const _change of deps.instanceChanges.follow(id ?? '', signal)) {
    const [instance, entries] = await inScope(deps, caller, async (tx) =>
      id ? [await instanceById(tx, id), await timelineLength(tx, id)] : [],
    );
    if (!instance)
      throw new GraphQLError('There is no such instance.', { extensions: { code: 'NOT_FOUND' } });
    const now = JSON.stringify([instance, entries]);
    if (now !== last) yield instance;
    last = now;
    if (instance.state === 'TERMINATED') return;
  }
}
