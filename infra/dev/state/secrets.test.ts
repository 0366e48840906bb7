import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { devSecrets } from './secrets.ts';

let stateDir: string;
beforeEach(() => void (stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-secrets-'))));
afterEach(() => fs.rmSync(stateDir, { recursive: true, force: true }));

it('are made once and are for their owner alone', async () => {
  const made = await devSecrets(stateDir);
  expect(await devSecrets(stateDir)).toEqual(made);
  expect(fs.statSync(path.join(stateDir, 'secrets.json')).mode & 0o777).toBe(0o600);
});

it('of an earlier build keep what they have and get what is new', async () => {
  const { vault: _vault, runTokens: _runTokens, ...before } = await devSecrets(stateDir);
  fs.writeFileSync(path.join(stateDir, 'secrets.json'), JSON.stringify(before));
  const completed = await devSecrets(stateDir);
  expect(completed).toMatchObject(before);
  expect(completed.vault.toolsLogin).toMatchObject({ kty: 'EC', crv: 'P-256' });
  expect(await devSecrets(stateDir)).toEqual(completed);
});
