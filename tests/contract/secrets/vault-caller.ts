import { randomUUID } from 'node:crypto';
import { exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { processAccess } from '../../../infra/vault/access-rules.ts';
import type { LoginKeys } from '../../../infra/vault/setup-vault.ts';

/** A running, unsealed Vault as its operator sees it. */
export interface VaultUnderTest {
  readonly url: string;
  readonly rootToken: string;
  readonly unsealKey: string;
}

export interface Answered {
  readonly status: number;
  /** Undefined when there was none. */
  readonly body: unknown;
}

export type Kind = keyof typeof processAccess;

export const refused = (status: number, ...errors: readonly string[]): Answered => ({
  status,
  body: { errors },
});
export const forbidden = refused(403, '1 error occurred:\n\t* permission denied\n\n');
export const gone = refused(404);

/** A place of its own, so that cases do not meet. */
export const somewhere = () => {
  const [org, project, binding] = [randomUUID(), randomUUID(), randomUUID()];
  const path = `connectors/${org}/${project}/${binding}`;
  return { org, project, path, data: `kv/data/${path}`, metadata: `kv/metadata/${path}` };
};

export const claimsOf = (org: string, project: string): JWTPayload & { sub: string } => ({
  sub: `${org}:${project}`,
  org,
  project,
});

export type VaultCaller = ReturnType<typeof createCaller>;

/** Calls a Vault as its operator, as a stranger and as both kinds of process, whose keys it has. */
export function createCaller(subject: () => VaultUnderTest) {
  const keys = { tools: generateKeyPair('ES256'), controlPlane: generateKeyPair('ES256') };

  const call = async (
    method: string,
    path: string,
    sent: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answered> => {
    const answer = await fetch(`${subject().url}/v1/${path}`, {
      method,
      headers: { ...(sent.token === undefined ? {} : { 'x-vault-token': sent.token }), ...sent.headers },
      body: sent.body === undefined ? null : JSON.stringify(sent.body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? (JSON.parse(text) as unknown) : undefined };
  };
  const asRoot = (method: string, path: string, body?: unknown): Promise<Answered> =>
    call(method, path, { token: subject().rootToken, body });
  const logInWith = (kind: Kind, jwt: string, role: string = processAccess[kind].role): Promise<Answered> =>
    call('POST', `auth/${processAccess[kind].mount}/login`, { body: { role, jwt } });
  /** Good for a minute from now unless the claims say otherwise. */
  const sign = async (kind: Kind, claims: JWTPayload): Promise<string> => {
    const now = Math.floor(Date.now() / 1_000);
    return new SignJWT({ aud: 'vault', iat: now, exp: now + 60, ...claims })
      .setProtectedHeader({ alg: 'ES256' })
      .sign((await keys[kind]).privateKey);
  };
  return {
    call,
    asRoot,
    patch: (path: string, body: unknown): Promise<Answered> =>
      call('PATCH', path, {
        token: subject().rootToken,
        body,
        headers: { 'content-type': 'application/merge-patch+json' },
      }),
    /** As root, against the version it replaces. */
    write: (path: string, cas: number, data: object): Promise<Answered> =>
      asRoot('POST', path, { options: { cas }, data }),
    sign,
    logInWith,
    /** The token of a login for one organization and project. */
    async logIn(kind: Kind, claims: JWTPayload): Promise<string> {
      const { body } = await logInWith(kind, await sign(kind, claims));
      return (body as { auth: { client_token: string } }).auth.client_token;
    },
    async loginKeys(): Promise<LoginKeys> {
      const pem = async (kind: Kind): Promise<string[]> => [await exportSPKI((await keys[kind]).publicKey)];
      return { tools: await pem('tools'), controlPlane: await pem('controlPlane') };
    },
  };
}
