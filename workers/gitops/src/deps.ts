import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';

export interface Artifact {
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What the worker needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly authenticate: Authenticator;
  readonly log: Log;
  /** Owns what is desired of instances. */
  readonly controlPlane: ServiceClient;
  /** Owns what is desired of knowledge bases; a store may have none. */
  readonly rag?: ServiceClient;
  readonly repository: string;
  readonly branch: string;
  readonly environment: string;
  /** How long a silent writer keeps the branch; 15 s when it is not said. */
  readonly leaseSeconds?: number;
  /** True when the artifact is stored with that size; throws when the storage cannot be asked. */
  readonly artifactIsThere: (artifact: Artifact) => Promise<boolean>;
  /** How often the branch is compared with what is desired; every ten minutes when it is not said. */
  readonly sweepEveryMs?: number;
}

export interface Room extends Deps {
  /** Rung when an applied resource changed. */
  readonly appliedChanges: Changes;
}
