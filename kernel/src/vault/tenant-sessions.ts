import { importJWK, SignJWT, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import { isUuid } from '../ids.ts';
import { SecretDenied, type SecretRef } from './secret-store.ts';
import type { VaultCalls } from './vault-calls.ts';

/** Whom a process logs in as: the JWT auth mount, which is the issuer's name too, and the role at it (infra/vault sets them up). */
export interface VaultLogin {
  readonly mount: string;
  readonly role: string;
}

/** The tool gateway's: reads secrets. */
export const readerLogin: VaultLogin = { mount: 'agentstore-tools', role: 'tool-gateway' };
/** The control plane's: writes and removes them. */
export const writerLogin: VaultLogin = { mount: 'agentstore-control-plane', role: 'connector-writer' };

/** Most tokens held, the least recently used go first. */
const mostTokens = 1_000;

/** Audience of the JWTs that log in. */
const audience = 'vault';
const loginSeconds = 60;

/** Whose part of the store a token opens. */
type Tenant = Pick<SecretRef, 'organizationId' | 'projectId'>;

/** Vault tokens, each for one project of one organization: the store itself refuses the paths of every other. */
export interface TenantSessions {
  /** Asks with the tenant's token; one that is refused is dropped, and a new one tried once. */
  as<T>(tenant: Tenant, signal: AbortSignal, ask: (token: string) => Promise<T>): Promise<T>;
}

/** `key` is the process' private ES256 JWK. Tokens are kept for 80 % of their lease; those who need the same one share one login. */
export async function createTenantSessions(
  vault: Pick<VaultCalls, 'login'>,
  login: VaultLogin,
  key: JWK,
): Promise<TenantSessions> {
  const signingKey = await importJWK(key, 'ES256');
  const tokens = new LRUCache<string, string, { readonly tenant: Tenant; readonly signal: AbortSignal }>({
    max: mostTokens,
    ttlResolution: 0,
    ignoreFetchAbort: true,
    fetchMethod: async (_name, _held, { options, context: { tenant, signal } }) => {
      const { token, seconds } = await vault.login(login.mount, login.role, await loginJwt(tenant), signal);
      options.ttl = Math.max(1, seconds * 800);
      return token;
    },
  });

  // The store's policy puts these into paths, where `+` and `*` are wildcards: nothing but a UUID is ever signed.
  async function loginJwt({ organizationId, projectId }: Tenant): Promise<string> {
    if (!isUuid(organizationId) || !isUuid(projectId)) throw new SecretDenied('an id that is no UUID');
    return new SignJWT({ org: organizationId, project: projectId })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', ...(key.kid ? { kid: key.kid } : {}) })
      .setIssuer(login.mount)
      .setAudience(audience)
      .setSubject(nameOf({ organizationId, projectId }))
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${loginSeconds}s`)
      .sign(signingKey);
  }

  return {
    async as(tenant, signal, ask) {
      const name = nameOf(tenant);
      const context = { tenant, signal };
      const token = await tokens.forceFetch(name, { context });
      try {
        return await ask(token);
      } catch (error) {
        if (!(error instanceof SecretDenied)) throw error;
        if (tokens.peek(name) === token) tokens.delete(name);
        return ask(await tokens.forceFetch(name, { context }));
      }
    },
  };
}

const nameOf = ({ organizationId, projectId }: Tenant): string => `${organizationId}:${projectId}`;
