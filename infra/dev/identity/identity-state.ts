import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { writeAtomically } from '../state/secrets.ts';

/** What makes this provider the same one after a restart. */
export interface IdentityState {
  /** Private RS256 keys; the first signs. */
  readonly keys: readonly JWK[];
  readonly cookieKeys: readonly string[];
  readonly clientSecrets: Readonly<Record<string, string>>;
  /** Passwords of the demo users, by e-mail. Development only: they are printed. */
  readonly passwords: Readonly<Record<string, string>>;
}

/**
 * Reads `identity.json` of the state directory (mode 0600), making what is missing: everything at the first start, later the secrets of
 * clients and users that are new.
 */
export async function loadIdentityState(
  stateDir: string,
  names: { clients: readonly string[]; users: readonly string[] },
): Promise<IdentityState> {
  fs.mkdirSync(stateDir, { recursive: true });
  const file = path.join(stateDir, 'identity.json');
  const kept = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as IdentityState) : undefined;
  const state: IdentityState = {
    keys: kept?.keys ?? [await generateSigningKey()],
    cookieKeys: kept?.cookieKeys ?? [random(32)],
    clientSecrets: completed(kept?.clientSecrets, names.clients, () => random(32)),
    passwords: completed(kept?.passwords, names.users, () => random(9)),
  };
  if (JSON.stringify(state) !== JSON.stringify(kept))
    writeAtomically(file, `${JSON.stringify(state, null, 2)}\n`, 0o600);
  return state;
}

const completed = (
  kept: Readonly<Record<string, string>> = {},
  names: readonly string[],
  make: () => string,
): Record<string, string> => ({
  ...kept,
  ...Object.fromEntries(names.filter((name) => !(name in kept)).map((name) => [name, make()])),
});

async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: random(8), alg: 'RS256', use: 'sig' };
}

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
