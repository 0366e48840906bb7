import type { Tx } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Handle } from './handle.ts';
import { unusedDays, type HeldSession, type Session } from './widget-session.ts';

const columns = `id, organization_id as "organizationId", instance_id as "instanceId", visitor_id as "visitorId", identified, origin, revoked_at as "revokedAt", used_at as "usedAt"`;
const isActive = `revoked_at is null and used_at > now() - interval '${unusedDays} days'`;

export async function sessionById(tx: Tx, id: Uuid): Promise<Session | undefined> {
  const [row] = await tx.sql<Session>(
    `-- sessionById\n select ${columns} from widget_session where id = $1`,
    [id],
  );
  return row;
}

/** The session that a handle names, of whatever age. Locked: those who ask by one handle at once follow each other. */
export async function lockSession(tx: Tx, familyHash: string): Promise<HeldSession | undefined> {
  const [row] = await tx.sql<HeldSession>(
    `-- lockSession
     select ${columns}, handle_sha256 as "handleHash", former_sha256 as "formerHash", replaced_at as "replacedAt", rotation_key as "rotationKey"
     from widget_session where family_sha256 = $1 for update`,
    [familyHash],
  );
  return row;
}

export async function insertSession(
  tx: Tx,
  session: Pick<Session, 'organizationId' | 'instanceId' | 'visitorId' | 'identified' | 'origin'>,
  handle: Handle,
): Promise<Session> {
  const [row] = await tx.sql<Session>(
    `-- insertSession
     insert into widget_session (id, organization_id, instance_id, visitor_id, identified, origin, family_sha256, handle_sha256)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
    [
      uuidv7(),
      session.organizationId,
      session.instanceId,
      session.visitorId,
      session.identified,
      session.origin,
      handle.familyHash,
      handle.hash,
    ],
  );
  return row!;
}

/** Puts a handle in the place of the one that the session has. */
export const replaceHandle = (tx: Tx, id: Uuid, by: { next: Handle; rotationKey: Buffer }) =>
  tx.sql(
    `-- replaceHandle
     update widget_session set former_sha256 = handle_sha256, handle_sha256 = $2, rotation_key = $3, replaced_at = now(), used_at = now() where id = $1`,
    [id, by.next.hash, by.rotationKey],
  );

export const revokeSession = (tx: Tx, id: Uuid) =>
  tx.sql(
    '-- revokeSession\n update widget_session set revoked_at = coalesce(revoked_at, now()) where id = $1',
    [id],
  );

export const revokeSessionsOf = (tx: Tx, instanceId: Uuid) =>
  tx.sql(
    '-- revokeSessionsOf\n update widget_session set revoked_at = now() where instance_id = $1 and revoked_at is null',
    [instanceId],
  );

/** How many sessions go on, and on which sites: the ten that were used last. */
export async function useOf(
  tx: Tx,
  instanceId: Uuid,
): Promise<{ readonly sessions: number; readonly origins: readonly string[] }> {
  const rows = await tx.sql<{ origin: string; sessions: number }>(
    `-- useOf
     select origin, (sum(count(*)) over ())::int as sessions from widget_session where instance_id = $1 and ${isActive}
     group by origin order by max(used_at) desc, origin limit 10`,
    [instanceId],
  );
  return { sessions: rows[0]?.sessions ?? 0, origins: rows.map(({ origin }) => origin) };
}

/** Deletes up to `limit` sessions that nobody can go on with; answers how many. One that was revoked is kept as long, so that its handle says so. */
export async function deleteOldSessions(tx: Tx, limit: number): Promise<number> {
  const rows = await tx.sql(
    `-- deleteOldSessions
     delete from widget_session where id in
       (select id from widget_session where used_at <= now() - interval '${unusedDays} days' order by used_at limit $1 for update skip locked) returning id`,
    [limit],
  );
  return rows.length;
}
