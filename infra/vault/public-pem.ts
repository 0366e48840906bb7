import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JWK } from 'jose';

/** The public part of a private key, as Vault takes it (PEM, SPKI). */
export const publicPem = (key: JWK): string =>
  createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
