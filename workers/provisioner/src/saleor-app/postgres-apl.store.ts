import type { APL, AuthData } from '@saleor/app-sdk/APL';
import type { Database } from '@agentstore/kernel/db/database';
import { decryptText, encryptText } from './encrypted-text.ts';

interface Row {
  saleorApiUrl: string;
  appId: string;
  token: string;
  jwks: string | null;
}
const columns = `saleor_api_url as "saleorApiUrl", app_id as "appId", token, jwks`;

const noKeys = '{"keys":[]}';

/** Where the app keeps its credentials per shop (the SDK's APL), in Postgres, the token encrypted. A new shop is polled from now on. */
export function postgresApl(db: Database, key: Buffer): APL {
  const open = (row: Row): AuthData => ({
    saleorApiUrl: row.saleorApiUrl,
    appId: row.appId,
    token: decryptText(key, row.token, row.saleorApiUrl),
    jwks: row.jwks ?? noKeys,
  });
  return {
    async get(saleorApiUrl) {
      const [row] = await db.statement<Row>(
        'apl_get',
        `-- apl.get\n select ${columns} from saleor_app where saleor_api_url = $1`,
        [saleorApiUrl],
      );
      return row && open(row);
    },
    async set(data) {
      await db.statement(
        'apl_set',
        `-- apl.set
         with app as (
           insert into saleor_app (saleor_api_url, app_id, token, jwks) values ($1, $2, $3, $4)
           on conflict (saleor_api_url) do update set app_id = excluded.app_id, token = excluded.token, jwks = excluded.jwks, registered_at = now()
           returning saleor_api_url, registered_at)
         insert into poll_mark (saleor_api_url, updated_at) select saleor_api_url, registered_at from app on conflict do nothing`,
        [data.saleorApiUrl, data.appId, encryptText(key, data.token, data.saleorApiUrl), data.jwks ?? null],
      );
    },
    async delete(saleorApiUrl) {
      await db.statement('apl_delete', '-- apl.delete\n delete from saleor_app where saleor_api_url = $1', [
        saleorApiUrl,
      ]);
    },
    async getAll() {
      return (await db.statement<Row>('apl_all', `-- apl.getAll\n select ${columns} from saleor_app`)).map(
        open,
      );
    },
  };
}

/** Keeps a shop's newest signing keys, and touches nothing else: the app may have been registered anew meanwhile. */
export const keepKeys = (db: Database, saleorApiUrl: string, jwks: string) =>
  db.statement('apl_keep_keys', '-- keepKeys\n update saleor_app set jwks = $2 where saleor_api_url = $1', [
    saleorApiUrl,
    jwks,
  ]);
