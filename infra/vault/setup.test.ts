import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimsOf, createCaller, somewhere } from '../../tests/contract/secrets/vault-caller.ts';
import { startVault, type Vault } from '../dev/vault/vault.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-vault-setup-'));
const rootToken = 'setup-root';
const unsealKey = 'the unseal key of the set-up';
const toolsKey = path.join(dir, 'tools.pem');
const controlPlaneKey = path.join(dir, 'control-plane.pem');
let vault: Vault;
const caller = createCaller(() => ({ url: vault.url, rootToken, unsealKey }));

beforeAll(async () => {
  vault = await startVault({
    stateDir: path.join(dir, 'state'),
    port: 0,
    unsealKey,
    rootToken,
    log: silentLog,
  });
  const keys = await caller.loginKeys();
  fs.writeFileSync(toolsKey, keys.tools.join('\n'));
  fs.writeFileSync(controlPlaneKey, keys.controlPlane.join('\n'));
});
afterAll(async () => {
  await vault.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Runs the command as npm does. */
const command = (args: readonly string[], token: string | undefined = rootToken) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(import.meta.dirname, 'setup.ts'), ...args],
      { env: { ...process.env, VAULT_TOKEN: token } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
const withKeys = () => ['--url', vault.url, '--tools-key', toolsKey, '--control-plane-key', controlPlaneKey];

it('needs both keys the first time, makes everything with them, and keeps it without them', async () => {
  expect(await command(['--url', vault.url])).toMatchObject({
    code: 1,
    stderr: 'auth/agentstore-tools has no key yet: give the public key of its logins.\n',
  });
  const first = await command(withKeys());
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toContain('made    login keys of auth/agentstore-control-plane\n');
  const second = await command(['--url', vault.url]);
  expect(second).toMatchObject({ code: 0, stderr: '' });
  expect(second.stdout).toContain('kept    role tool-gateway of auth/agentstore-tools\n');
  expect(second.stdout).not.toMatch(/^(made|mended)/m);
});

it('takes a second key while the first is replaced', async () => {
  const { org, project } = somewhere();
  const next = createCaller(() => ({ url: vault.url, rootToken, unsealKey }));
  const nextKey = path.join(dir, 'next.pem');
  fs.writeFileSync(nextKey, (await next.loginKeys()).tools.join('\n'));
  const both = await command([...withKeys(), '--tools-key', nextKey]);
  expect(both.stdout).toContain('mended  login keys of auth/agentstore-tools\n');
  for (const signer of [caller, next])
    expect(await signer.logInWith('tools', await signer.sign('tools', claimsOf(org, project)))).toMatchObject(
      { status: 200 },
    );
});

it.each([
  { what: 'an unknown flag', args: ['--url', 'http://localhost/', '--token', 't'], token: rootToken },
  { what: 'no URL', args: [], token: rootToken },
  { what: 'a URL that is none', args: ['--url', 'vault'], token: rootToken },
  { what: 'no token', args: ['--url', 'http://localhost/'], token: '' },
])('answers $what with its usage and exit code 2', async ({ args, token }) => {
  const ended = await command(args, token);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain('npm run vault:setup -- --url');
});

it('ends with one sentence and exit code 1 when the token may not', async () => {
  await command(withKeys());
  const { org, project } = somewhere();
  const ended = await command(['--url', vault.url], await caller.logIn('tools', claimsOf(org, project)));
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^The token may not do this: GET sys\/mounts: .+permission denied\nIt needs/s);
  expect(ended.stderr).not.toContain('    at ');
});

it('ends with one sentence and exit code 1 where no Vault answers, or one that is sealed', async () => {
  const at = async (url: string) => {
    const { code, stderr } = await command(['--url', url]);
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 1, lines: 2 });
    return stderr;
  };
  expect(await at(`http://127.0.0.1:${await freePort()}/`)).toContain('cannot be reached');
  const other = http.createServer((_request, response) => void response.end('<p>Hello</p>'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  expect(await at(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`)).toContain(
    'answered 200: not a Vault',
  );
  await new Promise((resolve) => other.close(resolve));
  vault.seal();
  expect(await at(vault.url)).toContain('Vault is sealed');
});
