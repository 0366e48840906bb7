import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { Database } from '@agentstore/kernel/db/database';

interface Row {
  payload: AdapterPayload;
}

/** oidc-provider's storage (its Adapter interface), one table for all models. Expired rows are not found and swept at the next start. */
export const postgresAdapter =
  (db: Database) =>
  (model: string): Adapter => ({
    async upsert(id, payload, expiresIn) {
      await db.statement(
        'oidc_upsert',
        `-- oidc upsert
       insert into oidc_model (model, id, payload, uid, grant_id, expires_at) values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
       on conflict (model, id) do update set payload = excluded.payload, uid = excluded.uid, grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
        [model, id, JSON.stringify(payload), payload.uid ?? null, payload.grantId ?? null, expiresIn ?? null],
      );
    },
    find: async (id) =>
      first(
        await db.statement<Row>(
          'oidc_find',
          `-- oidc find\n select payload from oidc_model where model = $1 and id = $2 and ${live}`,
          [model, id],
        ),
      ),
    findByUid: async (uid) =>
      first(
        await db.statement<Row>(
          'oidc_uid',
          `-- oidc findByUid\n select payload from oidc_model where model = $1 and uid = $2 and ${live}`,
          [model, uid],
        ),
      ),
    findByUserCode: async () => undefined,
    async consume(id) {
      await db.statement(
        'oidc_consume',
        `-- oidc consume\n update oidc_model set payload = payload || jsonb_build_object('consumed', extract(epoch from now())::int) where model = $1 and id = $2`,
        [model, id],
      );
    },
    async destroy(id) {
      await db.statement(
        'oidc_destroy',
        '-- oidc destroy\n delete from oidc_model where model = $1 and id = $2',
        [model, id],
      );
    },
    async revokeByGrantId(grantId) {
      await db.statement(
        'oidc_revoke',
        '-- oidc revokeByGrantId\n delete from oidc_model where model = $1 and grant_id = $2',
        [model, grantId],
      );
    },
  });

const live = '(expires_at is null or expires_at > now())';
const first = (rows: readonly Row[]): AdapterPayload | undefined => rows[0]?.payload;
