import type { Client as ObjectStore } from 'minio';
import type { Authenticator } from '@agentstore/kernel/auth/authenticator';
import type { Changes } from '@agentstore/kernel/changes';
import type { MicroCredits } from '@agentstore/kernel/credits';
import type { Database } from '@agentstore/kernel/db/database';
import type { ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import type { SecretWriter } from '@agentstore/kernel/vault/secret-store';
import type { BrandingSettings } from './branding/branding.ts';
import type { KnowledgeLimits } from './knowledge-limits/knowledge-limit.ts';

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
  /** Where flows reach the tool gateway: the only address at which a published flow may call tools. */
  readonly toolsOrigin: string;
  /** Where secrets of bindings go; nothing is ever read back from there. */
  readonly secrets: SecretWriter;
  /** What a project may hold whose instances' plans do not speak of knowledge. */
  readonly knowledge: KnowledgeLimits;
  /** What the store says of the widgets of all instances. */
  readonly branding: BrandingSettings;
  readonly trial: { readonly credits: MicroCredits; readonly days: number };
}

/** What its resolvers, handlers and use cases find. */
export interface Room extends Deps {
  readonly instanceChanges: Changes;
  /** Rung when a desired state was written; wakes the writer's long poll. */
  readonly desiredChanges: Changes;
  /** Rung when a binding or what an instance should be changed; wakes those who follow for the tool gateway. */
  readonly toolAccessChanges: Changes;
}
