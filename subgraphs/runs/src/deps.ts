import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { RunTokenSigner } from '@agentstore/kernel/auth/run-token';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import type { QueueLimits, RunFeed } from './events/run-feed.ts';

/** What runs needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly authenticate: Authenticator;
  readonly log: Log;
  readonly controlPlane: ServiceClient;
  readonly billing: ServiceClient;
  /** Makes the tokens with which runs call tools. */
  readonly signRunToken: RunTokenSigner;
  /** Days that run events are kept. */
  readonly eventDays: number;
  readonly maxInputCharacters: number;
  /** How much may wait for one subscriber before it catches up from the log. */
  readonly subscriberQueue: QueueLimits;
  /** How often the safety nets look: the feed's poll and the sweep of runs and keys that nobody ended. */
  readonly sweepEveryMs: number;
  /** A start that was not completed for so long is taken back, with what it reserved. */
  readonly abandonedAfterMs: number;
}

/** What its resolvers, handlers and use cases find. */
export interface Room extends Deps {
  readonly feed: RunFeed;
  /** Rung when a run was queued, handed back or is to be cancelled; wakes runners' long polls. */
  readonly queueChanges: Changes;
}
