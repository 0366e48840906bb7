import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { writeAtomically } from '../state/secrets.ts';

/** What the provider keeps between starts: its signing key, its cookie keys and the services' secrets. Readable by its owner alone. */
export interface IdentityKeys {
  readonly jwks: { keys: JWK[] };
  readonly cookieKeys: string[];
  readonly serviceSecrets: Record<string, string>;
}

/** Reads the keys of a state directory, making what is missing. */
export async function identityKeys(stateDir: string, services: readonly string[]): Promise<IdentityKeys> {
  const file = path.join(stateDir, 'identity.json');
  fs.mkdirSync(stateDir, { recursive: true });
  const kept = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as IdentityKeys) : undefined;
  const keys: IdentityKeys = {
    jwks: kept?.jwks ?? { keys: [await signingKey()] },
    cookieKeys: kept?.cookieKeys ?? [randomBytes(24).toString('base64url')],
    serviceSecrets: Object.fromEntries(
      services.map((service) => [
        service,
        kept?.serviceSecrets[service] ?? randomBytes(24).toString('base64url'),
      ]),
    ),
  };
  writeAtomically(file, JSON.stringify(keys, null, 2), 0o600);
  return keys;
}

async function signingKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, alg: 'RS256', use: 'sig', kid: await calculateJwkThumbprint(jwk) };
}
