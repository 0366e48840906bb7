import { randomUUID } from 'node:crypto';

/** One version of a secret; its data are gone when it was destroyed. Times in RFC 3339. */
export interface KvVersion {
  readonly createdTime: string;
  /** Empty unless it was deleted, which can be undone. */
  deletionTime: string;
  destroyed: boolean;
  data: Readonly<Record<string, unknown>> | undefined;
}

export interface KvSecret {
  readonly createdTime: string;
  updatedTime: string;
  currentVersion: number;
  oldestVersion: number;
  /** 0: the mount's. */
  maxVersions: number;
  casRequired: boolean;
  customMetadata: Readonly<Record<string, string>> | null;
  readonly versions: Map<number, KvVersion>;
}

/** A mount and what mounts of every type have. */
interface Mount {
  readonly accessor: string;
  readonly uuid: string;
  readonly description: string;
}

export interface KvMount extends Mount {
  maxVersions: number;
  casRequired: boolean;
  /** By path below the mount. */
  readonly secrets: Map<string, KvSecret>;
}

export interface JwtConfig {
  /** PEM, ES256. */
  readonly jwt_validation_pubkeys: readonly string[];
  readonly bound_issuer: string;
  readonly default_role: string;
}

export interface JwtRole {
  readonly role_type: 'jwt';
  readonly bound_audiences: readonly string[];
  readonly bound_subject: string;
  readonly user_claim: string;
  /** Claim → name in the alias' metadata. */
  readonly claim_mappings: Readonly<Record<string, string>> | null;
  readonly token_policies: readonly string[];
  /** Seconds. */
  readonly token_ttl: number;
  readonly token_max_ttl: number;
  readonly token_no_default_policy: boolean;
  readonly token_type: 'batch';
}

export interface JwtMount extends Mount {
  config: JwtConfig | undefined;
  readonly roles: Map<string, JwtRole>;
}

/** Whoever logged in through a mount under a name; policies are filled with the metadata of the newest login. */
export interface Entity {
  readonly id: string;
  readonly mountAccessor: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Everything a Vault knows; lies encrypted on disk. */
export interface VaultState {
  readonly clusterId: string;
  /** By path without its slash. */
  readonly secretMounts: Map<string, KvMount>;
  readonly authMounts: Map<string, JwtMount>;
  /** HCL, by name. */
  readonly policies: Map<string, string>;
  /** By id. */
  readonly entities: Map<string, Entity>;
}

/** What every token may do unless its role says otherwise, and the name of the policy that says so. */
export const defaultPolicy = 'default';

export const newState = (): VaultState => ({
  clusterId: randomUUID(),
  secretMounts: new Map(),
  authMounts: new Map(),
  policies: new Map([
    [
      defaultPolicy,
      `path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
`,
    ],
  ]),
  entities: new Map(),
});
