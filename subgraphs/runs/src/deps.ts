import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';

/** What runs needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly authenticate: Authenticator;
  readonly log: Log;
  readonly controlPlane: ServiceClient;
  readonly billing: ServiceClient;
  readonly eventDays: number;
  readonly maxInputCharacters: number;
}

/** What its resolvers, handlers and use cases find. */
export interface Room extends Deps {
  /** Rung by run id when events were appended. */
  readonly eventChanges: Changes;
  /** Rung when a run was queued or is to be cancelled; wakes runners' long polls. */
  readonly queueChanges: Changes;
}
