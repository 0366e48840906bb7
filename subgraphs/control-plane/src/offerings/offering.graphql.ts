import { systemScope } from '@agentstore/kernel/access';
import type { Tx } from '@agentstore/kernel/db/database';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import { builder, connection } from '../builder.ts';
import type { Room } from '../deps.ts';
import { ProductRef, ProductVariantRef } from '../references.graphql.ts';
import {
  creditPackOf,
  currentVersion,
  offeringBy,
  planBy,
  plansOf,
  searchOfferings,
  versionById,
  versionsOf,
  type Capability,
  type CreditPack,
  type Offering,
  type OfferingVersion,
  type Plan,
} from './offerings.store.ts';

/** The catalogue belongs to no organization and is open to everybody. */
export const catalogue = systemScope('catalogue');
const read = <T>(deps: Room, work: (tx: Tx) => Promise<T>): Promise<T> =>
  deps.db.transaction(catalogue, work);

const CapabilityType = builder.objectRef<Capability>('Capability').implement({
  description: 'Something an offering can do, from the capability registry.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its stable name.' }),
    title: t.exposeString('title', { description: 'For people.' }),
    description: t.exposeString('description', { description: 'What it means.' }),
  }),
});

export const EntitlementType = builder
  .objectRef<{ capability: Capability; limits: object }>('Entitlement')
  .implement({
    description: 'A capability that a plan gives, with its limits.',
    fields: (t) => ({
      capability: t.expose('capability', { type: CapabilityType, description: 'Which.' }),
      limits: t.expose('limits', { type: 'JSON', description: 'Its limits by name.' }),
    }),
  });

/** A plan's entitlements with the offering's own words for each capability. */
export const entitlementsIn = (
  capabilities: readonly Capability[],
  entitlements: readonly { capability: string; limits: object }[],
) =>
  entitlements.map(({ capability, limits }) => ({
    capability: capabilities.find(({ name }) => name === capability) ?? {
      name: capability,
      title: capability,
      description: '',
    },
    limits,
  }));

const PublisherType = builder.objectRef<{ slug: string; name: string }>('Publisher').implement({
  description: 'Who publishes an offering.',
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'Its stable name.' }),
    name: t.exposeString('name', { description: 'For people.' }),
  }),
});

const OfferingVersionStateEnum = builder.enumType('OfferingVersionState', {
  description: 'Where a version stands in its life.',
  values: {
    DRAFT: { description: 'Announced; its artifact may still be uploaded.' },
    PUBLISHED: { description: 'Immutable and runnable.' },
    RETIRED: { description: 'Runs on, but new instances do not get it.' },
    END_OF_LIFE: { description: 'Runs no more.' },
  } as const,
});

export const OfferingRef = builder.objectRef<Offering>('Offering');
export const OfferingVersionType = builder.objectRef<OfferingVersion>('OfferingVersion').implement({
  description: 'An immutable version of an offering, known by the sha256 of its artifact.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('OfferingVersion', id) }),
    offering: t.field({
      type: OfferingRef,
      description: 'Of which offering.',
      resolve: async ({ offeringId }, _args, { deps }) =>
        (await read(deps, (tx) => offeringBy(tx, { id: offeringId })))!,
    }),
    version: t.exposeString('version', { description: 'Its number, e.g. 1.2.0.' }),
    state: t.expose('state', { type: OfferingVersionStateEnum, description: 'Where it stands.' }),
    sha256: t.exposeString('sha256', {
      description: 'sha256 of the stored artifact; it never changes for a version.',
    }),
    sizeBytes: t.exposeInt('sizeBytes', { description: 'Size of the artifact.' }),
    capabilities: t.field({
      type: [CapabilityType],
      description: 'What it can do: the capabilities of its offering.',
      resolve: async ({ offeringId }, _args, { deps }) => [
        ...(await read(deps, (tx) => offeringBy(tx, { id: offeringId })))!.capabilities,
      ],
    }),
    configSchema: t.expose('configSchema', {
      type: 'JSON',
      description: 'JSON Schema of what a buyer may configure.',
    }),
    publishedAt: t.expose('publishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it became immutable.',
    }),
    endOfLifeAt: t.expose('endOfLifeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it stops running.',
    }),
  }),
});

export const PlanType = builder.objectRef<Plan>('Plan').implement({
  description: 'What a variant of the product entitles to.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Plan', id) }),
    code: t.exposeString('code', { description: 'Stable within the offering, e.g. pro.' }),
    name: t.exposeString('name', { description: 'For people.' }),
    offering: t.field({
      type: OfferingRef,
      description: 'Of which offering.',
      resolve: async ({ offeringId }, _args, { deps }) =>
        (await read(deps, (tx) => offeringBy(tx, { id: offeringId })))!,
    }),
    variant: t.field({
      type: ProductVariantRef,
      nullable: true,
      description: 'What to put into the checkout; null for a plan that is not sold.',
      resolve: ({ saleorVariantId, saleorChannel }) =>
        saleorVariantId ? { id: saleorVariantId, channel: saleorChannel } : null,
    }),
    includedCredits: t.expose('includedCredits', {
      type: 'MicroCredits',
      description: 'Credits that come with it.',
    }),
    entitlements: t.field({
      type: [EntitlementType],
      description: 'What it gives.',
      resolve: async (plan, _args, { deps }) =>
        entitlementsIn(
          (await read(deps, (tx) => offeringBy(tx, { id: plan.offeringId })))!.capabilities,
          plan.entitlements,
        ),
    }),
  }),
});

const CreditPackType = builder.objectRef<CreditPack>('CreditPack').implement({
  description: 'A variant that tops a wallet up.',
  fields: (t) => ({
    credits: t.expose('credits', { type: 'MicroCredits', description: 'How much one pack adds.' }),
    expiresAfterDays: t.exposeInt('expiresAfterDays', {
      nullable: true,
      description: 'Days until what is left ends; null for never.',
    }),
  }),
});

OfferingRef.implement({
  description: 'What is sold: a product of the shop, with versions to run and plans to buy.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Offering', id) }),
    slug: t.exposeString('slug', { description: 'Its stable name.' }),
    name: t.exposeString('name', { description: 'For people.' }),
    publisher: t.field({
      type: PublisherType,
      description: 'Who publishes it.',
      resolve: (offering) => ({ slug: offering.publisherSlug, name: offering.publisherName }),
    }),
    product: t.field({
      type: ProductRef,
      nullable: true,
      description: 'The product of the shop that sells it.',
      resolve: ({ saleorProductId, saleorChannel }) =>
        saleorProductId ? { id: saleorProductId, channel: saleorChannel } : null,
    }),
    versions: t.field({
      type: [OfferingVersionType],
      description: 'Its versions, newest first; published ones unless said.',
      args: {
        state: t.arg({
          type: [OfferingVersionStateEnum],
          required: false,
          description: 'Only in these states.',
        }),
      },
      resolve: ({ id }, { state }, { deps }) =>
        read(deps, (tx) =>
          versionsOf(
            tx,
            id,
            (state ?? ['PUBLISHED']).filter((one) => one !== 'DRAFT'),
          ),
        ),
    }),
    currentVersion: t.field({
      type: OfferingVersionType,
      nullable: true,
      description: 'What a new instance gets.',
      resolve: ({ id }, _args, { deps }) => read(deps, (tx) => currentVersion(tx, id)),
    }),
    plans: t.field({
      type: [PlanType],
      description: 'How it can be bought.',
      resolve: ({ id }, _args, { deps }) => read(deps, (tx) => plansOf(tx, id)),
    }),
    capabilities: t.field({
      type: [CapabilityType],
      description: 'What it can do.',
      resolve: ({ capabilities }) => [...capabilities],
    }),
  }),
});
builder.asEntity(OfferingRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: async ({ id }, { deps }) => {
    const offeringId = fromGlobalId('Offering', id);
    return offeringId ? ((await read(deps, (tx) => offeringBy(tx, { id: offeringId }))) ?? null) : null;
  },
});
const OfferingConnection = connection('Offering', OfferingRef);

builder.queryField('offerings', (t) =>
  t.field({
    type: OfferingConnection,
    description: 'Offerings that can be had, open to everybody.',
    args: {
      first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
      after: t.arg.string({ required: false, description: 'Cursor of the one before.' }),
      search: t.arg.string({ required: false, description: 'Text in the name.' }),
    },
    resolve: async (_root, args, { deps }) => {
      const page = pageRequest(args);
      return pageOf(
        await read(deps, (tx) => searchOfferings(tx, args.search ?? null, page)),
        page,
        ({ id }) => id,
      );
    },
  }),
);
builder.queryField('offering', (t) =>
  t.field({
    type: OfferingRef,
    nullable: true,
    description: 'One offering, by id or slug.',
    args: {
      id: t.arg.id({ required: false, description: 'Its id.' }),
      slug: t.arg.string({ required: false, description: 'Its slug.' }),
    },
    resolve: (_root, { id, slug }, { deps }) =>
      read(deps, (tx) =>
        offeringBy(tx, { id: id ? fromGlobalId('Offering', id) : undefined, slug: slug ?? undefined }),
      ),
  }),
);

builder.objectField(ProductRef, 'offering', (t) =>
  t.field({
    type: OfferingRef,
    nullable: true,
    description: 'The offering it sells.',
    resolve: ({ id }, _args, { deps }) => read(deps, (tx) => offeringBy(tx, { productId: id })),
  }),
);
builder.objectField(ProductVariantRef, 'plan', (t) =>
  t.field({
    type: PlanType,
    nullable: true,
    description: 'The plan it entitles to.',
    resolve: ({ id }, _args, { deps }) => read(deps, (tx) => planBy(tx, { variantId: id })),
  }),
);
builder.objectField(ProductVariantRef, 'creditPack', (t) =>
  t.field({
    type: CreditPackType,
    nullable: true,
    description: 'The credits it adds.',
    resolve: ({ id }, _args, { deps }) => read(deps, (tx) => creditPackOf(tx, id)),
  }),
);

/** For instances: their version and plan, whatever its state. */
export const readVersion = (deps: Room, id: string) => read(deps, (tx) => versionById(tx, id));
export const readPlan = (deps: Room, id: string) => read(deps, (tx) => planBy(tx, { id }));
export const readOffering = (deps: Room, id: string) => read(deps, (tx) => offeringBy(tx, { id }));
