import type { Client as ObjectStore } from 'minio';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { MicroCredits } from '@agentstore/kernel/credits';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';

/** What the control plane needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly authenticate: Authenticator;
  readonly log: Log;
  readonly billing: ServiceClient;
  /** The tool gateway, which keeps the audit log. */
  readonly tools: ServiceClient;
  readonly objects: ObjectStore;
  readonly artifactBucket: string;
  readonly trial: { readonly credits: MicroCredits; readonly days: number };
}

/** What its resolvers, handlers and use cases find. */
export interface Room extends Deps {
  readonly instanceChanges: Changes;
  /** Rung when a desired state was written; wakes the writer's long poll. */
  readonly desiredChanges: Changes;
}
