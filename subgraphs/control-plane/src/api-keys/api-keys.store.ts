import { and, desc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm';
import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Permission } from '@agentstore/kernel/permissions';
import { apiKeys } from './api-keys.table.ts';

/** An API key without its secret, and without the hash of it. */
export type ApiKey = Omit<typeof apiKeys.$inferSelect, 'hash' | 'createdBy'>;

const shown = {
  id: apiKeys.id,
  organizationId: apiKeys.organizationId,
  name: apiKeys.name,
  prefix: apiKeys.prefix,
  scopes: apiKeys.scopes,
  createdAt: apiKeys.createdAt,
  lastUsedAt: apiKeys.lastUsedAt,
  expiresAt: apiKeys.expiresAt,
  revokedAt: apiKeys.revokedAt,
};

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
  const [row] = await tx.orm
    .insert(apiKeys)
    .values({ ...key, id: uuidv7(), scopes: [...key.scopes], createdBy: tx.scope.actor })
    .returning(shown);
  return row!;
}

export async function apiKeyById(tx: Tx, id: Uuid): Promise<ApiKey | undefined> {
  const [row] = await tx.orm.select(shown).from(apiKeys).where(eq(apiKeys.id, id));
  return row;
}

/** Newest first. */
export const apiKeysOf = (tx: Tx, organizationId: Uuid): Promise<ApiKey[]> =>
  tx.orm
    .select(shown)
    .from(apiKeys)
    .where(eq(apiKeys.organizationId, organizationId))
    .orderBy(desc(apiKeys.id))
    .limit(100);

export async function revokeApiKey(tx: Tx, id: Uuid): Promise<ApiKey | undefined> {
  const [row] = await tx.orm
    .update(apiKeys)
    .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, now())` })
    .where(eq(apiKeys.id, id))
    .returning(shown);
  return row;
}

/** The live key with this hash; notes its use at most once a minute. */
export async function liveApiKey(tx: Tx, hash: string): Promise<ApiKey | undefined> {
  const live = and(
    eq(apiKeys.hash, hash),
    isNull(apiKeys.revokedAt),
    or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)),
  );
  const [row] = await tx.orm.select(shown).from(apiKeys).where(live);
  if (row)
    await tx.orm
      .update(apiKeys)
      .set({ lastUsedAt: sql`now()` })
      .where(
        and(
          eq(apiKeys.id, row.id),
          or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, sql`now() - interval '1 minute'`)),
        ),
      );
  return row;
}
