import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { calculateJwkThumbprint, exportJWK } from 'jose';

/** The shop's one RSA key: it signs user tokens and webhooks. */
export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  /** What `/.well-known/jwks.json` answers, members in Saleor's order. */
  readonly jwks: { readonly keys: readonly object[] };
}

/** Reads the key from `stateDir`, or makes it there (mode 0600) the first time. */
export async function loadSigningKey(stateDir: string): Promise<SigningKey> {
  fs.mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const file = path.join(stateDir, 'signing-key.pem');
  if (!fs.existsSync(file)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    fs.writeFileSync(`${file}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  }
  const privateKey = createPrivateKey(fs.readFileSync(file));
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const key = { kty: 'RSA', key_ops: ['verify'], n: jwk.n, e: jwk.e, use: 'sig', kid, alg: 'RS256' };
  return { privateKey, publicKey, kid, jwks: { keys: [key] } };
}
