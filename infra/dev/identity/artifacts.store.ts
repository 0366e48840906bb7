import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Database } from '@agentstore/kernel/db/database';

/** Artifacts that die together when their grant is revoked. */
const grantable = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);
/** Artifacts without a lifetime of their own are kept this long, in seconds. */
const longest = 365 * 24 * 3_600;

type Row = { payload: AdapterPayload };

/**
 * oidc-provider's storage in PostgreSQL, so that kill -9 loses no session, grant or refresh token. The database's clock decides expiry,
 * and a code or refresh token is consumed once however many requests present it at the same moment.
 */
export function artifactAdapter(database: Database): (model: string) => Adapter {
  return (model) => ({
    async upsert(id, payload, expiresIn) {
      await database.statement(
        'identity-artifact-upsert',
        `-- artifactAdapter.upsert
         insert into artifact (model, id, payload, grant_id, uid, expires_at)
         values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
         on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id,
           uid = excluded.uid, expires_at = excluded.expires_at`,
        [
          model,
          id,
          payload,
          grantable.has(model) ? payload.grantId : null,
          model === 'Session' ? payload.uid : null,
          expiresIn ?? longest,
        ],
      );
    },
    async find(id) {
      const rows = await database.statement<Row>(
        'identity-artifact-find',
        `-- artifactAdapter.find
         select payload from artifact where model = $1 and id = $2 and expires_at > now()`,
        [model, id],
      );
      return rows[0]?.payload;
    },
    async findByUid(uid) {
      const rows = await database.statement<Row>(
        'identity-artifact-find-by-uid',
        `-- artifactAdapter.findByUid
         select payload from artifact where model = $1 and uid = $2 and expires_at > now()`,
        [model, uid],
      );
      return rows[0]?.payload;
    },
    findByUserCode: () => Promise.resolve(undefined), // the device flow is off
    async consume(id) {
      const rows = await database.statement(
        'identity-artifact-consume',
        `-- artifactAdapter.consume
         update artifact set payload = payload || jsonb_build_object('consumed', extract(epoch from now())::bigint)
         where model = $1 and id = $2 and not payload ? 'consumed' returning id`,
        [model, id],
      );
      if (rows.length === 0) throw new errors.InvalidGrant('already consumed');
    },
    async destroy(id) {
      await database.statement(
        'identity-artifact-destroy',
        `-- artifactAdapter.destroy
         delete from artifact where model = $1 and id = $2`,
        [model, id],
      );
    },
    async revokeByGrantId(grantId) {
      await database.statement(
        'identity-artifact-revoke',
        `-- artifactAdapter.revokeByGrantId
         delete from artifact where grant_id = $1 and model = $2`,
        [grantId, model],
      );
    },
  });
}

/** Removes what has expired: at start, and from time to time. */
export async function sweepArtifacts(database: Database): Promise<void> {
  await database.statement(
    'identity-artifact-sweep',
    `-- sweepArtifacts
     delete from artifact where expires_at <= now()`,
  );
}
