import { createChanges } from '@agentstore/kernel/changes';
import type { Deps, Room } from './deps.ts';
import { postgresApl } from './saleor-app/postgres-apl.store.ts';
import { createShopKeys } from './saleor-app/shop-keys.ts';

/** What the handlers and tasks find, over what comes from outside. */
export const createRoom = (deps: Deps): Room => ({
  ...deps,
  apl: postgresApl(deps.db, deps.tokenKey),
  shopKeys: createShopKeys(deps),
  orderChanges: createChanges({ database: deps.db, channels: ['provisioner_order'], log: deps.log }),
});
