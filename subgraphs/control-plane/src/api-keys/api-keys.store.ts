import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Permission } from '@agentstore/kernel/permissions';

export interface ApiKey {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly Permission[];
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

const columns = `id, organization_id as "organizationId", name, prefix, scopes, created_at as "createdAt", last_used_at as "lastUsedAt", expires_at as "expiresAt", revoked_at as "revokedAt"`;

export async function insertApiKey(
  tx: Tx,
  key: {
    organizationId: Uuid;
    name: string;
    prefix: string;
    hash: string;
    scopes: readonly Permission[];
    expiresAt: Date | null;
  },
): Promise<ApiKey> {
  const [row] = await tx.sql<ApiKey>(
    `-- insertApiKey
     insert into api_key (id, organization_id, name, prefix, hash, scopes, expires_at, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
    [uuidv7(), key.organizationId, key.name, key.prefix, key.hash, key.scopes, key.expiresAt, tx.scope.actor],
  );
  return row!;
}

export const apiKeysOf = (tx: Tx, organizationId: Uuid) =>
  tx.sql<ApiKey>(
    `-- apiKeysOf\n select ${columns} from api_key where organization_id = $1 order by id desc limit 100`,
    [organizationId],
  );

export async function revokeApiKey(tx: Tx, id: Uuid): Promise<ApiKey | undefined> {
  const [row] = await tx.sql<ApiKey>(
    `-- revokeApiKey\n update api_key set revoked_at = coalesce(revoked_at, now()) where id = $1 returning ${columns}`,
    [id],
  );
  return row;
}

/** The live key with this hash; notes its use at most once a minute. */
export async function useApiKey(tx: Tx, hash: string): Promise<ApiKey | undefined> {
  const [row] = await tx.sql<ApiKey>(
    `-- useApiKey
     select ${columns} from api_key where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [hash],
  );
  if (row)
    await tx.sql(
      "-- useApiKey: note\n update api_key set last_used_at = now() where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')",
      [row.id],
    );
  return row;
}
