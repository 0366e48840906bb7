import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe } from 'vitest';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { objectsCases } from './cases.ts';

const accessKey = 'contract';
const secretKey = 'contract-secret';
const hasGo = spawnSync('go', ['version']).status === 0;
let gateway: { url: string; stop: () => Promise<void> };

const isNeeded = hasGo || process.env['CI'] === 'true';
if (!isNeeded)
  process.stderr.write(
    '\nSKIPPED: the S3 contract on a real server needs Go to build versitygw; only the dev server was tested.\n\n',
  );

describe.skipIf(!isNeeded)('object storage', () => {
  // Building from the Go module takes minutes of CPU the first time; the binary is kept outside the tree.
  beforeAll(async () => {
    gateway = await startVersitygw(await buildVersitygw());
    if (process.env['REAL_SERVERS_FILE'])
      fs.appendFileSync(process.env['REAL_SERVERS_FILE'], 'versitygw 1.8.0 (S3)\n');
  }, 900_000);
  afterAll(() => gateway?.stop());
  objectsCases('versitygw', () => ({ url: gateway.url, accessKey, secretKey }), { dev: false });
});

async function buildVersitygw(): Promise<string> {
  const script = path.join(import.meta.dirname, '../../../infra/ci/build-versitygw.sh');
  const { stdout } = await promisify(execFile)('sh', [script], { timeout: 890_000 });
  return stdout.trim();
}

async function startVersitygw(binary: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-versitygw-'));
  for (const folder of ['data', 'versions', 'iam']) fs.mkdirSync(path.join(root, folder));
  const port = await freePort();
  const args = [
    '--port',
    `127.0.0.1:${port}`,
    '--region',
    'us-east-1',
    '--health',
    '/healthz',
    '--quiet',
    '--iam-dir',
    path.join(root, 'iam'),
  ];
  const child = spawn(
    binary,
    [...args, 'posix', '--versioning-dir', path.join(root, 'versions'), path.join(root, 'data')],
    {
      env: { ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4_000)));
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`versitygw did not start: ${log}`);
    if (
      await fetch(`${url}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
  }
  return {
    url,
    async stop() {
      await ended(child);
      fs.rmSync(root, { recursive: true, force: true });
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
