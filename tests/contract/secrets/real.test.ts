import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe } from 'vitest';
import { noteRealServer } from '@agentstore/kernel/testing/real-servers';
import { secretsCases } from './cases.ts';
import { clientCases } from './client-cases.ts';
import type { VaultUnderTest } from './vault-caller.ts';

const rootToken = 'contract-root';
const hasGo = spawnSync('go', ['version']).status === 0;
let core: VaultUnderTest & { stop: () => Promise<void> };

const isNeeded = hasGo || process.env['CI'] === 'true';
if (!isNeeded)
  process.stderr.write(
    '\nSKIPPED: the contract of the secret store on a real Vault core needs Go to build it; only the dev Vault was tested.\n\n',
  );

describe.skipIf(!isNeeded)('secret store', () => {
  // Building from Go modules takes many minutes of CPU the first time; the binary is kept outside the tree.
  beforeAll(async () => {
    core = await startCore(await buildCore());
    noteRealServer('vault-core 1.14.1 (KV v2, JWT auth)');
  }, 1_800_000);
  afterAll(() => core?.stop());
  secretsCases('Vault core 1.14.1', () => core, { dev: false });
  clientCases(() => core);
});

async function buildCore(): Promise<string> {
  const script = path.join(import.meta.dirname, '../../../infra/ci/build-vault.sh');
  const { stdout } = await promisify(execFile)('sh', [script], { timeout: 1_790_000 });
  return stdout.trim();
}

/** In memory, on a free port of 127.0.0.1; it says where, and its unseal key, in one line of JSON. */
async function startCore(binary: string): Promise<typeof core> {
  const child = spawn(binary, {
    env: { VAULT_CORE_ROOT_TOKEN: rootToken },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4_000)));
  const ended = once(child, 'exit');
  const failed = ended.then(() => Promise.reject(new Error(`the Vault core did not start: ${log}`)));
  const told = once(readline.createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(20_000) });
  const [line] = (await Promise.race([told, failed])) as [string];
  failed.catch(() => undefined); // from here on its end is ours
  return {
    ...(JSON.parse(line) as { url: string; unsealKey: string }),
    rootToken,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
