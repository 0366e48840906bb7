import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { RequiredConnector } from '../connectors/connector.ts';

export interface Capability {
  readonly name: string;
  readonly title: string;
  readonly description: string;
}

/** What is sold: a product of the shop with immutable versions and plans. */
export interface Offering {
  readonly id: Uuid;
  readonly slug: string;
  readonly name: string;
  readonly publisherSlug: string;
  readonly publisherName: string;
  readonly publisherOrganizationId: Uuid | null;
  readonly saleorProductId: string | null;
  readonly saleorChannel: string;
  readonly capabilities: readonly Capability[];
}

export type OfferingVersionState = 'DRAFT' | 'PUBLISHED' | 'RETIRED' | 'END_OF_LIFE';

export interface OfferingVersion {
  readonly id: Uuid;
  readonly offeringId: Uuid;
  readonly version: string;
  readonly state: OfferingVersionState;
  readonly bucket: string;
  readonly objectKey: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly configSchema: Readonly<Record<string, unknown>>;
  readonly requiredConnectors: readonly RequiredConnector[];
  readonly publishedAt: Date | null;
  readonly endOfLifeAt: Date | null;
}

export interface Plan {
  readonly id: Uuid;
  readonly offeringId: Uuid;
  readonly code: string;
  readonly name: string;
  readonly saleorVariantId: string | null;
  readonly saleorChannel: string;
  readonly includedCredits: bigint;
  readonly creditsExpireDays: number | null;
  readonly entitlements: readonly { capability: string; limits: object }[];
}

export interface CreditPack {
  readonly saleorVariantId: string;
  readonly credits: bigint;
  readonly expiresAfterDays: number | null;
}

const offeringColumns = `f.id, f.slug, f.name, b.slug as "publisherSlug", b.name as "publisherName", b.organization_id as "publisherOrganizationId",
  f.saleor_product_id as "saleorProductId", f.saleor_channel as "saleorChannel", f.capabilities`;
const offeringFrom = 'offering f join publisher b on b.id = f.publisher_id';

export async function offeringBy(
  tx: Tx,
  by: { id?: Uuid | undefined; slug?: string | undefined; productId?: string | undefined },
): Promise<Offering | undefined> {
  const [row] = await tx.sql<Offering>(
    `-- offeringBy
     select ${offeringColumns} from ${offeringFrom} where f.id = $1::uuid or f.slug = $2 or f.saleor_product_id = $3`,
    [by.id ?? null, by.slug ?? null, by.productId ?? null],
  );
  return row;
}

export const searchOfferings = (tx: Tx, search: string | null, page: PageRequest) =>
  tx.sql<Offering>(
    `-- searchOfferings
     select ${offeringColumns} from ${offeringFrom}
     where exists (select from offering_version v where v.offering_id = f.id and v.state = 'PUBLISHED')
       and ($1::text is null or f.name ilike '%' || $1 || '%' or f.slug ilike '%' || $1 || '%') and ($2::uuid is null or f.id > $2) order by f.id limit $3`,
    [search === null ? null : search.replace(/[\\%_]/g, '\\$&'), page.afterKey, page.first + 1],
  );

const versionColumns = `id, offering_id as "offeringId", version, state, bucket, object_key as "objectKey", sha256, size_bytes as "sizeBytes", config,
  config_schema as "configSchema", required_connectors as "requiredConnectors", published_at as "publishedAt", end_of_life_at as "endOfLifeAt"`;

export async function versionById(tx: Tx, id: Uuid): Promise<OfferingVersion | undefined> {
  const [row] = await tx.sql<OfferingVersion>(
    `-- versionById\n select ${versionColumns} from offering_version where id = $1`,
    [id],
  );
  return row;
}

export const versionsOf = (tx: Tx, offeringId: Uuid, states: readonly OfferingVersionState[]) =>
  tx.sql<OfferingVersion>(
    `-- versionsOf\n select ${versionColumns} from offering_version where offering_id = $1 and state = any ($2) order by id desc`,
    [offeringId, states],
  );

/** The newest published version: what a new instance gets. */
export async function currentVersion(tx: Tx, offeringId: Uuid): Promise<OfferingVersion | undefined> {
  const [row] = await tx.sql<OfferingVersion>(
    `-- currentVersion
     select ${versionColumns} from offering_version where offering_id = $1 and state = 'PUBLISHED' order by published_at desc limit 1`,
    [offeringId],
  );
  return row;
}

const planColumns = `p.id, p.offering_id as "offeringId", p.code, p.name, p.saleor_variant_id as "saleorVariantId", f.saleor_channel as "saleorChannel",
  p.included_credits as "includedCredits", p.credits_expire_days as "creditsExpireDays", p.entitlements`;

export const plansOf = (tx: Tx, offeringId: Uuid) =>
  tx.sql<Plan>(
    `-- plansOf\n select ${planColumns} from plan p join offering f on f.id = p.offering_id where p.offering_id = $1 order by p.included_credits, p.id`,
    [offeringId],
  );

export async function planBy(tx: Tx, by: { id?: Uuid; variantId?: string }): Promise<Plan | undefined> {
  const [row] = await tx.sql<Plan>(
    `-- planBy
     select ${planColumns} from plan p join offering f on f.id = p.offering_id where p.id = $1::uuid or p.saleor_variant_id = $2`,
    [by.id ?? null, by.variantId ?? null],
  );
  return row;
}

export async function creditPackOf(tx: Tx, variantId: string): Promise<CreditPack | undefined> {
  const [row] = await tx.sql<CreditPack>(
    `-- creditPackOf
     select saleor_variant_id as "saleorVariantId", credits, expires_after_days as "expiresAfterDays" from credit_pack where saleor_variant_id = $1`,
    [variantId],
  );
  return row;
}

export interface CatalogueEntry {
  readonly publisher: { slug: string; name: string; organizationId?: Uuid | undefined };
  readonly offering: {
    slug: string;
    name: string;
    /** Null for one that is only tried, not sold. */
    saleorProductId: string | null;
    saleorChannel: string;
    capabilities: readonly Capability[];
  };
  readonly version: {
    version: string;
    bucket: string;
    objectKey: string;
    sha256: string;
    sizeBytes: number;
    config: object;
    configSchema: Readonly<Record<string, unknown>>;
    requiredConnectors: readonly RequiredConnector[];
  };
  readonly plans: readonly {
    code: string;
    name: string;
    saleorVariantId: string | null;
    includedCredits: bigint;
    creditsExpireDays: number | null;
    config: object;
    entitlements: readonly { capability: string; limits: object }[];
    maxRunSeconds: number;
    maxConcurrentRuns: number;
  }[];
  readonly creditPacks: readonly {
    saleorVariantId: string;
    credits: bigint;
    expiresAfterDays: number | null;
  }[];
}

/**
 * Makes the catalogue say what the entry says; what is already so stays. Answers which plans give their instances something else now. Undefined, and nothing is to be kept, when its version is published with other contents.
 */
export async function writeCatalogue(
  tx: Tx,
  entry: CatalogueEntry,
): Promise<{ offeringId: Uuid; versionId: Uuid; changedPlans: Uuid[] } | undefined> {
  const [publisher] = await tx.sql<{ id: Uuid }>(
    `-- writeCatalogue: publisher
     insert into publisher (id, slug, name, organization_id) values ($1, $2, $3, $4)
     on conflict (slug) do update set name = excluded.name, organization_id = coalesce(excluded.organization_id, publisher.organization_id) returning id`,
    [uuidv7(), entry.publisher.slug, entry.publisher.name, entry.publisher.organizationId ?? null],
  );
  const { offering, version } = entry;
  const [made] = await tx.sql<{ id: Uuid }>(
    `-- writeCatalogue: offering
     insert into offering (id, slug, name, publisher_id, saleor_product_id, saleor_channel, capabilities) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (slug) do update set name = excluded.name, saleor_product_id = excluded.saleor_product_id, saleor_channel = excluded.saleor_channel, capabilities = excluded.capabilities
     returning id`,
    [
      uuidv7(),
      offering.slug,
      offering.name,
      publisher!.id,
      offering.saleorProductId,
      offering.saleorChannel,
      JSON.stringify(offering.capabilities),
    ],
  );
  const offeringId = made!.id;
  const [stored] = await tx.sql<{ id: Uuid }>(
    `-- writeCatalogue: version
     insert into offering_version (id, offering_id, version, state, bucket, object_key, sha256, size_bytes, config, config_schema, required_connectors, published_at)
     values ($1, $2, $3, 'PUBLISHED', $4, $5, $6, $7, $8, $9, $10, now())
     on conflict (offering_id, version) do update set state = case offering_version.state when 'DRAFT' then 'PUBLISHED' else offering_version.state end,
       published_at = coalesce(offering_version.published_at, excluded.published_at), sha256 = excluded.sha256, size_bytes = excluded.size_bytes,
       bucket = excluded.bucket, object_key = excluded.object_key, config = excluded.config, config_schema = excluded.config_schema,
       required_connectors = excluded.required_connectors
       where offering_version.state = 'DRAFT'
         or (offering_version.sha256, offering_version.size_bytes, offering_version.bucket, offering_version.object_key, offering_version.config, offering_version.config_schema, offering_version.required_connectors)
         = (excluded.sha256, excluded.size_bytes, excluded.bucket, excluded.object_key, excluded.config, excluded.config_schema, excluded.required_connectors)
     returning id`,
    [
      uuidv7(),
      offeringId,
      version.version,
      version.bucket,
      version.objectKey,
      version.sha256,
      version.sizeBytes,
      JSON.stringify(version.config),
      JSON.stringify(version.configSchema),
      JSON.stringify(version.requiredConnectors),
    ],
  );
  if (!stored) return undefined;
  const changedPlans: Uuid[] = [];
  for (const plan of entry.plans) {
    const changed = await tx.sql<{ id: Uuid }>(
      `-- writeCatalogue: changed plan
       select id from plan where offering_id = $1 and code = $2
         and (config, entitlements, max_run_seconds, max_concurrent_runs) is distinct from ($3::jsonb, $4::jsonb, $5::int, $6::int) for update`,
      [
        offeringId,
        plan.code,
        JSON.stringify(plan.config),
        JSON.stringify(plan.entitlements),
        plan.maxRunSeconds,
        plan.maxConcurrentRuns,
      ],
    );
    changedPlans.push(...changed.map(({ id }) => id));
    await tx.sql(
      `-- writeCatalogue: plan
       insert into plan (id, offering_id, code, name, saleor_variant_id, included_credits, credits_expire_days, config, entitlements, max_run_seconds, max_concurrent_runs)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
       on conflict (offering_id, code) do update set name = excluded.name, saleor_variant_id = excluded.saleor_variant_id, included_credits = excluded.included_credits,
         credits_expire_days = excluded.credits_expire_days, config = excluded.config, entitlements = excluded.entitlements,
         max_run_seconds = excluded.max_run_seconds, max_concurrent_runs = excluded.max_concurrent_runs`,
      [
        uuidv7(),
        offeringId,
        plan.code,
        plan.name,
        plan.saleorVariantId,
        plan.includedCredits,
        plan.creditsExpireDays,
        JSON.stringify(plan.config),
        JSON.stringify(plan.entitlements),
        plan.maxRunSeconds,
        plan.maxConcurrentRuns,
      ],
    );
  }
  for (const pack of entry.creditPacks)
    await tx.sql(
      `-- writeCatalogue: credit pack
       insert into credit_pack (saleor_variant_id, credits, expires_after_days) values ($1, $2, $3)
       on conflict (saleor_variant_id) do update set credits = excluded.credits, expires_after_days = excluded.expires_after_days`,
      [pack.saleorVariantId, pack.credits, pack.expiresAfterDays],
    );
  return { offeringId, versionId: stored.id, changedPlans };
}

export async function insertDraft(
  tx: Tx,
  draft: {
    offeringId: Uuid;
    version: string;
    bucket: string;
    objectKey: string;
    sha256: string;
    sizeBytes: number;
    configSchema: object;
    requiredConnectors: readonly RequiredConnector[];
  },
): Promise<OfferingVersion | undefined> {
  const [row] = await tx.sql<OfferingVersion>(
    `-- insertDraft
     insert into offering_version (id, offering_id, version, bucket, object_key, sha256, size_bytes, config_schema, required_connectors) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (offering_id, version) do update set sha256 = excluded.sha256, size_bytes = excluded.size_bytes, object_key = excluded.object_key,
       config_schema = excluded.config_schema, required_connectors = excluded.required_connectors
       where offering_version.state = 'DRAFT'
     returning ${versionColumns}`,
    [
      uuidv7(),
      draft.offeringId,
      draft.version,
      draft.bucket,
      draft.objectKey,
      draft.sha256,
      draft.sizeBytes,
      JSON.stringify(draft.configSchema),
      JSON.stringify(draft.requiredConnectors),
    ],
  );
  return row;
}

/** Publishes a draft that still announces the bytes that were checked; undefined when it does not, or is no draft any more. */
export async function markPublished(
  tx: Tx,
  checked: { id: Uuid; sha256: string; sizeBytes: number; objectKey: string },
): Promise<OfferingVersion | undefined> {
  const [row] = await tx.sql<OfferingVersion>(
    `-- markPublished
     update offering_version set state = 'PUBLISHED', published_at = now(), object_key = $4
     where id = $1 and state = 'DRAFT' and sha256 = $2 and size_bytes = $3 returning ${versionColumns}`,
    [checked.id, checked.sha256, checked.sizeBytes, checked.objectKey],
  );
  return row;
}
