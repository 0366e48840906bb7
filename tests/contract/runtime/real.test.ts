import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { cacheDirectory } from '../../../infra/dev/runtime/config.ts';
import { installLfx } from '../../../infra/dev/runtime/install-lfx.ts';
import { startLfx, type Lfx } from '../../../infra/dev/runtime/lfx.ts';
import { runtimeCases } from './cases.ts';
import { portInTimeWait } from './port-in-time-wait.ts';

const apiKey = 'contract-key';
const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-lfx-'));
const hasPython =
  spawnSync('python3', [
    '-c',
    'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))',
  ]).status === 0;
let lfx: Lfx;

const isNeeded = hasPython || process.env['CI'] === 'true';
if (!isNeeded)
  process.stderr.write(
    '\nSKIPPED: the runtime contract on real lfx needs Python 3.11 to 3.13 with venv; only the dev runtime was tested.\n\n',
  );

describe.skipIf(!isNeeded)('flow runtime', () => {
  // The first time, 600 MB of packages are installed into the shared cache.
  beforeAll(async () => {
    process.env['AGENTSTORE_CACHE'] ||= cacheDirectory();
    lfx = await startLfx({ port: await freePort(), apiKey, stateDir, log: silentLog });
    if (process.env['REAL_SERVERS_FILE'])
      fs.appendFileSync(
        process.env['REAL_SERVERS_FILE'],
        `lfx ${lfx.version} (flow runtime, restricted mode)\n`,
      );
  }, 1_500_000);
  afterAll(async () => {
    await lfx?.stop();
    fs.rmSync(stateDir, { recursive: true, force: true });
  });

  runtimeCases('lfx serve', () => ({ url: lfx.url, apiKey }));

  describe('the lfx launcher', () => {
    it('installs once', async () => {
      expect(await installLfx({ parent: cacheDirectory() })).toContain('lfx-1.13.0-');
    });
    it('is found where it serves, though the port wished for only just became free', async () => {
      const port = await portInTimeWait();
      const moved = await startLfx({ port, apiKey, stateDir: folder('moved'), log: silentLog });
      try {
        expect(new URL(moved.url).port).not.toBe(String(port));
        expect((await fetch(`${moved.url}/health`)).status).toBe(200);
      } finally {
        await moved.stop();
      }
    });
    it('leaves no process behind when its owner is killed', async () => {
      const launcher = path.join(import.meta.dirname, '../../../infra/dev/runtime/lfx.ts');
      const code = `import { startLfx } from ${JSON.stringify(launcher)};
        import { silentLog } from '@agentstore/kernel/log';
        const lfx = await startLfx({ port: ${await freePort()}, apiKey: 'k', stateDir: ${JSON.stringify(folder('owned'))}, log: silentLog });
        process.stdout.write(String(lfx.pid));
        setInterval(() => undefined, 1_000);`;
      const owner = spawn(process.execPath, ['--input-type=module', '-e', code], {
        cwd: path.dirname(launcher),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const pid = Number(
        await new Promise<string>((resolve) => owner.stdout.setEncoding('utf8').once('data', resolve)),
      );
      expect(isAlive(pid)).toBe(true);
      owner.kill('SIGKILL');
      for (const deadline = Date.now() + 10_000; isAlive(pid) && Date.now() < deadline;) await sleep(50);
      expect(isAlive(pid)).toBe(false);
    });
    it('says what is missing when there is no fitting Python', async () => {
      await expect(installLfx({ parent: stateDir, python: 'python-not-there' })).rejects.toThrow(
        'needs Python 3.11 to 3.13 with venv: python-not-there is not there',
      );
    });
  });
});

function folder(name: string): string {
  const made = path.join(stateDir, name);
  fs.mkdirSync(made);
  return made;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
