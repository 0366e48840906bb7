import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { secretsCases } from '../../../tests/contract/secrets/cases.ts';
import { startVault, type Vault } from './vault.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-vault-'));
const options = { unsealKey: 'unseal '.repeat(9), rootToken: 'dev-root', port: 0, log: silentLog };
let vault: Vault;

beforeAll(async () => {
  vault = await startVault({ ...options, stateDir: path.join(dir, 'contract') });
});
afterAll(async () => {
  await vault.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

secretsCases('dev Vault', () => ({ url: vault.url, ...options }), { dev: true });
