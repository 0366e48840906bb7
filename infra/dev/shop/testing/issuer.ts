import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import { afterAll, beforeAll } from 'vitest';

/** An OpenID Connect issuer with our kind of userinfo endpoint; it counts who asks what. */
export interface Issuer {
  origin: string;
  /** Requests since the last `reset`, as recorded: `GET /jwks - -> 200`. */
  calls: Record<string, number>;
  /** Status that every endpoint answers instead; undefined in health. */
  down: number | undefined;
  reset(): void;
  rotate(): Promise<void>;
  /** A signed access token; `lifetime` in seconds. */
  token(claims: JWTPayload, lifetime?: number): Promise<string>;
}

export const audience = 'https://gateway.agentstore.test';

export function useIssuer(): Issuer {
  let signing: { kid: string; key: CryptoKey } | undefined;
  const published: JWK[] = [];
  const retired: JWK[] = [];
  let serial = 0;
  const issuer: Issuer = {
    origin: '',
    calls: {},
    down: undefined,
    reset() {
      issuer.calls = {};
    },
    async rotate() {
      const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
      const kid = `key-${(serial += 1)}`;
      signing = { kid, key: privateKey };
      retired.push(...published.splice(0));
      published.push({ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' });
    },
    token: (claims, lifetime = 300) => {
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({
        ...claims,
        iss: issuer.origin,
        jti: String((serial += 1)),
        iat: now,
        exp: now + lifetime,
      })
        .setProtectedHeader({ alg: 'RS256', kid: signing!.kid, typ: 'at+jwt' })
        .sign(signing!.key);
    },
  };

  async function answer(path: string, bearer: string | undefined): Promise<{ status: number; body: object }> {
    if (issuer.down) return { status: issuer.down, body: {} };
    if (path === '/jwks') return { status: 200, body: { keys: published } };
    try {
      const { payload } = await jwtVerify(
        bearer ?? '',
        (header) => {
          const jwk = [...published, ...retired].find(({ kid }) => kid === header.kid);
          if (!jwk) throw new Error('unknown key');
          return import('jose').then(({ importJWK }) => importJWK(jwk, 'RS256'));
        },
        { audience },
      );
      if (payload['email_verified'] !== true || typeof payload['email'] !== 'string')
        return { status: 403, body: {} };
      const { sub, email, given_name, family_name } = payload as Record<string, string>;
      return { status: 200, body: { sub, email, given_name, family_name } };
    } catch {
      return { status: 401, body: {} };
    }
  }

  const server = http.createServer((incoming, outgoing) => {
    const bearer = incoming.headers.authorization?.replace('Bearer ', '');
    const kind =
      bearer === undefined
        ? '-'
        : bearer.split('.').length === 3
          ? 'Bearer jwt'
          : `Bearer opaque(${bearer.length})`;
    void answer(incoming.url ?? '', bearer).then(({ status, body }) => {
      const name = `${incoming.method} ${incoming.url} ${kind} -> ${status}`;
      issuer.calls[name] = (issuer.calls[name] ?? 0) + 1;
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(body));
    });
  });
  beforeAll(async () => {
    await issuer.rotate();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return issuer;
}
