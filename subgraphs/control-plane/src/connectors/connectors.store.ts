import type { ConnectorDefinition } from '@agentstore/kernel/connector-definition';
import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Connector } from './connector.ts';
import { isLive } from './reachable-connectors.store.ts';

const columns = `c.id, c.organization_id as "organizationId", c.slug, d.sha256, d.definition, d.secret_fields as "secretFields"`;
const from = 'connector c join connector_definition d on d.sha256 = c.definition_sha256';

export const connectorsById = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Connector>(`-- connectorsById\n select ${columns} from ${from} where c.id = any ($1)`, [ids]);

/** The store's own and the organization's, by slug. */
export const connectorsOf = (tx: Tx, organizationId: Uuid) =>
  tx.sql<Connector>(
    `-- connectorsOf
     select ${columns} from ${from} where c.organization_id is null or c.organization_id = $1 order by c.slug, c.id limit 100`,
    [organizationId],
  );

/** By its slug as an organization reaches it: its own, else the store's. */
export async function connectorBySlug(
  tx: Tx,
  organizationId: Uuid,
  slug: string,
): Promise<Connector | undefined> {
  const [row] = await tx.sql<Connector>(
    `-- connectorBySlug
     select ${columns} from ${from} where c.slug = $2 and (c.organization_id is null or c.organization_id = $1) order by c.organization_id nulls last limit 1`,
    [organizationId, slug],
  );
  return row;
}

export async function storeHasConnector(tx: Tx, slug: string): Promise<boolean> {
  const rows = await tx.sql(
    '-- storeHasConnector\n select id from connector where organization_id is null and slug = $1',
    [slug],
  );
  return rows.length > 0;
}

export const insertDefinition = (
  tx: Tx,
  { sha256, definition, secretFields }: Pick<Connector, 'sha256' | 'definition' | 'secretFields'>,
) =>
  tx.sql(
    `-- insertDefinition
     insert into connector_definition (sha256, definition, tools, secret_fields) values ($1, $2, $3, $4) on conflict do nothing`,
    [sha256, JSON.stringify(definition), definition.tools.map(({ name }) => name), secretFields],
  );

export async function definitionBySha256(tx: Tx, sha256: string): Promise<ConnectorDefinition | undefined> {
  const [row] = await tx.sql<{ definition: ConnectorDefinition }>(
    '-- definitionBySha256\n select definition from connector_definition where sha256 = $1',
    [sha256],
  );
  return row?.definition;
}

/** Locks the connector of that owner and slug, made with this definition when there was none; answers it as it was before, if it was there. */
export async function lockOrInsertConnector(
  tx: Tx,
  { organizationId, slug, sha256 }: Pick<Connector, 'organizationId' | 'slug' | 'sha256'>,
): Promise<{ id: Uuid; before: Connector | undefined }> {
  const [made] = await tx.sql<{ id: Uuid }>(
    `-- lockOrInsertConnector
     insert into connector (id, organization_id, slug, definition_sha256) values ($1, $2, $3, $4) on conflict (organization_id, slug) do nothing returning id`,
    [uuidv7(), organizationId, slug, sha256],
  );
  if (made) return { id: made.id, before: undefined };
  const [before] = await tx.sql<Connector>(
    `-- lockOrInsertConnector: there
     select ${columns} from ${from} where c.organization_id is not distinct from $1 and c.slug = $2 for no key update of c`,
    [organizationId, slug],
  );
  return { id: before!.id, before };
}

export const pointConnector = (tx: Tx, id: Uuid, sha256: string) =>
  tx.sql(
    '-- pointConnector\n update connector set definition_sha256 = $2, changed_at = now() where id = $1',
    [id, sha256],
  );

/**
 * Instances whose version needs this connector and that get it under its slug; with `projectId`, of that project; with `bound`, where a live binding of it
 * stands. Those on their way out have no use for it.
 */
export const instancesReaching = (
  tx: Tx,
  connector: Pick<Connector, 'id' | 'organizationId' | 'slug'>,
  only: { projectId?: Uuid; bound?: boolean },
) =>
  tx.sql<{ id: Uuid }>(
    `-- instancesReaching
     select i.id from instance i join offering_version v on v.id = i.offering_version_id
     where i.desired_phase <> 'Terminated' and v.required_connectors @> jsonb_build_array(jsonb_build_object('connector', $2::text))
       and ($3::uuid is null or i.organization_id = $3) and ($4::uuid is null or i.project_id = $4)
       and ($3::uuid is not null or not exists (select from connector own where own.organization_id = i.organization_id and own.slug = $2))
       and (not $5 or exists (select from connector_binding b where b.project_id = i.project_id and b.connector_id = $1 and ${isLive('b')}))`,
    [connector.id, connector.slug, connector.organizationId, only.projectId ?? null, only.bound ?? false],
  );
