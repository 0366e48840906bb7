import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { WalletBell } from './wallets/wallet-bell.ts';

/** What billing needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly authenticate: Authenticator;
  readonly log: Log;
  readonly sweepEveryMs: number;
}

/** What its resolvers and handlers find. */
export interface Room extends Deps {
  readonly walletChanges: Changes;
  readonly walletBell: WalletBell;
}
