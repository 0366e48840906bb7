import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWK } from 'jose';
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
  /** Of the run tokens: the runs subgraph signs, the tool gateway verifies. */
  readonly runTokens: { readonly privateJwk: JWK; readonly jwks: JSONWebKeySet };
  readonly vault: {
    /** AES-256 key that unseals it, base64. */
    readonly unsealKey: string;
    readonly rootToken: string;
    /** ES256 keys with which the two processes that use it sign their logins. */
    readonly toolsLogin: JWK;
    readonly controlPlaneLogin: JWK;
  };
}

/** Reads the secrets of a state directory, making at a start what it does not have yet. */
export async function devSecrets(stateDir: string): Promise<DevSecrets> {
  const file = path.join(stateDir, 'secrets.json');
  const kept = fs.existsSync(file)
    ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<DevSecrets>)
    : undefined;
  const internal = await generateInternalKey('router-1');
  const secrets: DevSecrets = {
    objects: { accessKey: 'agentstore', secretKey: random(24) },
    runtimeKey: random(24),
    aplKey: randomBytes(32).toString('base64'),
    sessionSecret: random(32),
    internalPrivateJwk: internal.privateJwk,
    internalJwks: internal.jwks,
    runTokens: await generateInternalKey('runs-1'),
    vault: {
      unsealKey: randomBytes(32).toString('base64'),
      rootToken: random(24),
      toolsLogin: await loginKey('tools-1'),
      controlPlaneLogin: await loginKey('control-plane-1'),
    },
    ...kept,
  };
  if (!kept || Object.keys(secrets).some((name) => !(name in kept)))
    writeAtomically(file, JSON.stringify(secrets, null, 2), 0o600);
  return secrets;
}

async function loginKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' };
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
