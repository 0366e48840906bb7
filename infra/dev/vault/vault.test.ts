import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { secretsCases } from '../../../tests/contract/secrets/cases.ts';
import { clientCases } from '../../../tests/contract/secrets/client-cases.ts';
import { claimsOf, createCaller, refused, somewhere } from '../../../tests/contract/secrets/vault-caller.ts';
import { setupVault } from '../../vault/setup-vault.ts';
import { startVault, type Vault } from './vault.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-vault-'));
const options = { unsealKey: 'an unseal key of these tests', rootToken: 'dev-root', port: 0, log: silentLog };
let vault: Vault;

beforeAll(async () => {
  vault = await startVault({ ...options, stateDir: path.join(dir, 'contract') });
});
afterAll(async () => {
  await vault.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

secretsCases('dev Vault', () => ({ url: vault.url, ...options }), { dev: true });
clientCases(() => ({ url: vault.url, ...options }));

describe('the dev Vault', () => {
  let running: Vault;
  const caller = createCaller(() => ({ url: running.url, ...options }));
  /** Runs with a Vault of this folder, and again with the next one. */
  async function withVault<T>(
    name: string,
    work: () => Promise<T>,
    more: Partial<Parameters<typeof startVault>[0]> = {},
  ): Promise<T> {
    running = await startVault({ ...options, stateDir: path.join(dir, name), ...more });
    try {
      return await work();
    } finally {
      await running.stop();
    }
  }
  const setUp = async () =>
    setupVault({ url: running.url, token: options.rootToken, loginKeys: await caller.loginKeys() });

  it('has everything after a restart: set-up, secrets and tokens that were given', async () => {
    const { org, project, data } = somewhere();
    const token = await withVault('restart', async () => {
      await setUp();
      await caller.write(data, 0, { key: 'kept' });
      return caller.logIn('tools', claimsOf(org, project));
    });
    await withVault('restart', async () => {
      expect(await caller.call('GET', data, { token })).toMatchObject({
        status: 200,
        body: { data: { data: { key: 'kept' } } },
      });
      expect(await caller.write(data, 1, { key: 'next' })).toMatchObject({ body: { data: { version: 2 } } });
    });
  });

  it('leaves nothing on disk that can be read, and only its owner may try', async () => {
    const { org, data } = somewhere();
    await withVault('at-rest', async () => {
      await setUp();
      await caller.write(data, 0, { key: 'sesame-open' });
    });
    const folder = path.join(dir, 'at-rest');
    expect(fs.readdirSync(folder)).toEqual(['vault.json']);
    const file = path.join(folder, 'vault.json');
    expect(fs.statSync(file).mode & 0o077).toBe(0);
    const { state } = JSON.parse(fs.readFileSync(file, 'utf8')) as { state: string };
    const bytes = fs.readFileSync(file, 'utf8') + Buffer.from(state, 'base64').toString('latin1');
    for (const secret of ['sesame-open', org, 'tool-gateway', options.unsealKey, options.rootToken])
      expect(bytes).not.toContain(secret);
  });

  it('does not start with another key, nor on a file that was changed', async () => {
    await withVault('tampered', setUp);
    const stateDir = path.join(dir, 'tampered');
    await expect(startVault({ ...options, stateDir, unsealKey: 'another' })).rejects.toThrow(
      'the unseal key does not open',
    );
    const file = path.join(stateDir, 'vault.json');
    const stored = JSON.parse(fs.readFileSync(file, 'utf8')) as { sealedKey: string; state: string };
    const box = Buffer.from(stored.state, 'base64');
    box[box.length - 1]! ^= 1;
    fs.writeFileSync(file, JSON.stringify({ ...stored, state: box.toString('base64') }));
    await expect(startVault({ ...options, stateDir })).rejects.toThrow('is damaged');
  });

  it('lets a token and a login expire by its own clock', async () => {
    let now = Date.now();
    const { org, project, data } = somewhere();
    await withVault(
      'clock',
      async () => {
        await setUp();
        await caller.write(data, 0, { key: 'one' });
        const token = await caller.logIn('tools', claimsOf(org, project));
        const jwt = await caller.sign('tools', claimsOf(org, project));
        now += 110_000; // the JWT ended 50 s ago, which Vault takes for a difference of clocks
        expect(await caller.logInWith('tools', jwt)).toMatchObject({ status: 200 });
        now += 15_000;
        expect(await caller.logInWith('tools', jwt)).toEqual(
          refused(400, 'error validating token: invalid expiration time (exp) claim: token is expired'),
        );
        now += 170_000;
        expect(await caller.call('GET', data, { token })).toMatchObject({ status: 200 });
        now += 10_000;
        expect(await caller.call('GET', data, { token })).toEqual(refused(403, 'permission denied'));
      },
      { now: () => now },
    );
  });

  it('keeps nothing of a write that could not be stored', async () => {
    const { data } = somewhere();
    await withVault('full', async () => {
      await setUp();
      await caller.write(data, 0, { key: 'one' });
      fs.renameSync(path.join(dir, 'full'), path.join(dir, 'away'));
      expect(await caller.write(data, 1, { key: 'two' })).toEqual(refused(500, 'internal error'));
      fs.renameSync(path.join(dir, 'away'), path.join(dir, 'full'));
      expect(await caller.asRoot('GET', data)).toMatchObject({ body: { data: { data: { key: 'one' } } } });
    });
  });

  it('refuses what it would otherwise ignore or cannot hold', async () => {
    const { data } = somewhere();
    await withVault('bounds', async () => {
      await setUp();
      const offered = (what: string) => refused(400, `the dev Vault does not offer "${what}" here`);
      expect(await caller.asRoot('POST', 'kv/config', { delete_version_after: '1h' })).toEqual(
        offered('delete_version_after'),
      );
      expect(await caller.asRoot('POST', 'auth/agentstore-tools/config', { jwks_url: 'http://x' })).toEqual(
        offered('jwks_url'),
      );
      expect(
        await caller.asRoot('POST', 'auth/agentstore-tools/role/other', {
          role_type: 'jwt',
          token_type: 'service',
          user_claim: 'sub',
          bound_audiences: ['x'],
        }),
      ).toEqual(refused(400, 'the dev Vault offers token_type batch only'));
      expect(await caller.write(data, 0, { key: 'x'.repeat(1_048_576) })).toEqual(
        refused(413, 'request body too large'),
      );
      expect(await caller.asRoot('GET', data.replace(/\/(?=[^/]*$)/, '%2F..%2F'))).toEqual(
        refused(400, 'relative paths not supported'),
      );
    });
  });
});
