import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { writeAtomically } from './secrets.ts';

/** What the demo's upstream servers ask for, by the connector's slug: the secrets that the demo organization binds. */
export interface DemoConnectorSecrets {
  readonly orders: string;
  readonly status: string;
}

/**
 * Reads them, making them at the first start. A file of their own: they belong to the demo organization and not to the store, whose process knows no more
 * than their hashes.
 */
export function demoConnectorSecrets(stateDir: string): DemoConnectorSecrets {
  const file = path.join(stateDir, 'demo-connector-secrets.json');
  if (fs.existsSync(file)) return JSON.parse(fs.readFileSync(file, 'utf8')) as DemoConnectorSecrets;
  const secret = (name: string): string => `${name}-${randomBytes(24).toString('base64url')}`;
  const secrets: DemoConnectorSecrets = { orders: secret('ordk'), status: secret('stk') };
  writeAtomically(file, JSON.stringify(secrets, null, 2), 0o600);
  return secrets;
}
