import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { JSONWebKeySet, JWK } from 'jose';
import { generateInternalKey } from '@agentstore/kernel/auth/internal-token';

/** Secrets of one development store: made once, kept under its state directory, readable by its owner alone. */
export interface DevSecrets {
  readonly objects: { readonly accessKey: string; readonly secretKey: string };
  readonly runtimeKey: string;
  /** AES-256 key of the provisioner's stored app tokens, base64. */
  readonly aplKey: string;
  /** HMAC key from which the runner derives session ids. */
  readonly sessionSecret: string;
  readonly internalPrivateJwk: JWK;
  readonly internalJwks: JSONWebKeySet;
}

/** Reads the secrets of a state directory, making them at its first start. */
export async function devSecrets(stateDir: string): Promise<DevSecrets> {
  const file = path.join(stateDir, 'secrets.json');
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')) as DevSecrets;
  const { privateJwk, jwks } = await generateInternalKey('router-1');
  const secrets: DevSecrets = {
    objects: { accessKey: 'agentstore', secretKey: random(24) },
    runtimeKey: random(24),
    aplKey: randomBytes(32).toString('base64'),
    sessionSecret: random(32),
    internalPrivateJwk: privateJwk,
    internalJwks: jwks,
  };
  writeAtomically(file, JSON.stringify(secrets, null, 2), 0o600);
  return secrets;
}

/** Writes a file so that a crash leaves either the old or the new one. */
export function writeAtomically(file: string, text: string, mode = 0o644): void {
  const draft = `${file}.${process.pid}.new`;
  const handle = fs.openSync(draft, 'w', mode);
  fs.writeSync(handle, text);
  fs.fsyncSync(handle);
  fs.closeSync(handle);
  fs.renameSync(draft, file);
}

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
