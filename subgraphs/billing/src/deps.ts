import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';

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
}
