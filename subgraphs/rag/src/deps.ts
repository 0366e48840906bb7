import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { ServiceClient } from '@agentstore/kernel/service-client';
import type { DocumentStorage } from './documents/document-storage.ts';
import type { KnowledgeEngine } from './engines/engine.ts';
import type { ProjectLimitsReader } from './knowledge-bases/project-limits.ts';

/** What the knowledge subgraph needs from outside. */
export interface Deps {
  readonly db: Database;
  readonly authenticate: Authenticator;
  readonly log: Log;
  /** Says what projects may hold; needs `instance:entitlements`. */
  readonly controlPlane: ServiceClient;
  readonly engine: KnowledgeEngine;
  readonly storage: DocumentStorage;
  readonly maxFileBytes: number;
  /** How long an upload may take to begin, as its address says; then as long again to end. */
  readonly uploadSeconds: number;
  /** How long an uploaded file may take to be read back and hashed before it is put in line. */
  readonly checkDeadlineMs: number;
  /** How long it is remembered what a project may hold. */
  readonly limitsKeptMs: number;
  readonly ingest: {
    /** Documents that this process ingests at once. */
    readonly concurrency: number;
    /** A worker that has not said anything for so long is taken for dead. */
    readonly leaseMs: number;
    /** How often a worker says how far it is, and sees that it is to stop. */
    readonly reportMs: number;
    /** Workers that may take up one attempt before it fails: each died, or met a fault of ours. */
    readonly tries: number;
  };
  /** Times that making a base in the engine is tried. */
  readonly provisionTries: number;
  /** How often it is looked for what no doorbell told of. */
  readonly pollMs: number;
}

/** What its resolvers, handlers and use cases find. */
export interface Room extends Deps {
  readonly projectLimits: ProjectLimitsReader;
  /** Rung under a base's id when one of its documents changed; `ingest`: one waits for a worker; `sweep`: something is to be removed; `desired`: something is in line for Git. */
  readonly documentChanges: Changes;
}
