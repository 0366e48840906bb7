import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { findDataDirectory } from '../../infra/dev/postgres/data-directory.ts';
import { withDatabase } from '../../infra/dev/postgres/postgres.ts';
import { askSaleor } from '../../infra/saleor/ask-saleor.ts';
import { demoConnectorSecrets } from '../../infra/dev/state/demo-connector-secrets.ts';
import { readDescription } from '../../infra/dev/state/description.ts';
import { devSecrets } from '../../infra/dev/state/secrets.ts';
import { until } from '../setup/persistently.ts';
import type { ChaosStore } from './chaos-store.ts';

const main = path.join(import.meta.dirname, '../../infra/dev/main.js');

/** The store as `npm start` runs it: one process with everything in it, PostgreSQL and its guard beside it. */
export interface Tree extends ChaosStore {
  /** kill -9 of all of its processes, then `npm start` again on the same state; resolves when it is up. */
  killAndRestart(): Promise<void>;
}

export async function startTree(stateDir: string): Promise<Tree> {
  fs.mkdirSync(stateDir, { recursive: true });
  fs.chmodSync(stateDir, 0o711);
  const port = String(await freePort());
  const crashes: string[] = [];
  let child: ChildProcess;
  let isWanted = true;
  const start = async (): Promise<void> => {
    const out = fs.openSync(path.join(stateDir, 'start.log'), 'a');
    const before = readDescription(stateDir)?.startedAt;
    const started = spawn(process.execPath, [main, '--state', stateDir, '--port', port, '--no-demo'], {
      stdio: ['ignore', out, out],
    });
    fs.closeSync(out);
    child = started;
    isWanted = true;
    // PostgreSQL's guard ends it with its owner.
    process.once('exit', () => started.kill('SIGKILL'));
    started.once('exit', (code, signal) => {
      if (isWanted && child === started) crashes.push(`npm start ended by itself: ${code ?? signal}`);
    });
    const ended = once(started, 'exit').then(([code]) =>
      Promise.reject(new Error(`npm start ended with ${code}`)),
    );
    const up = until('npm start is up', async () => {
      const description = readDescription(stateDir);
      return (description && description.startedAt !== before) || undefined;
    });
    await Promise.race([up, ended]);
  };
  await start();
  const { urls, directories, oidc, shop, offering, users } = readDescription(stateDir)!;
  const secrets = await devSecrets(stateDir);
  // A token lives for minutes, so one is asked for when it is needed.
  const staffToken = async (): Promise<string> => {
    const { tokenCreate } = await askSaleor<{ tokenCreate: { token: string } }>(
      { url: urls.shop, token: '' },
      'mutation($email: String!, $password: String!) { tokenCreate(email: $email, password: $password) { token errors { message } } }',
      { ...shop.admin },
    );
    return tokenCreate.token;
  };
  const people = users.map(({ email, password }) => ({ email, password }));
  let next = 0;
  return {
    publicOrigin: urls.origin,
    adminUrl: adminUrlOf(stateDir, urls.database),
    repository: directories.git,
    identity: oidc,
    shop: {
      url: urls.shop,
      staffToken,
      channel: shop.channel,
      variants: { pro: offering.variants['pro']!, pack1000: offering.creditPacks['1000']! },
    },
    connectorSecrets: demoConnectorSecrets(stateDir),
    vault: { url: urls.vault, rootToken: secrets.vault.rootToken },
    objects: { url: urls.objects, ...secrets.objects },
    ordersCalls: () => undefined,
    buyer: async () => people[next++ % people.length]!,
    crashes: () => crashes.splice(0),
    async killAndRestart() {
      isWanted = false;
      const gone = once(child, 'exit');
      // Those that it started first: a guard that saw its owner end would stop PostgreSQL in order.
      for (const pid of treeOf(child.pid!).toReversed()) kill(pid);
      await gone;
      await start();
    },
    async stop() {
      isWanted = false;
      const gone = once(child, 'exit');
      child.kill('SIGINT');
      await gone;
    },
  };
}

function adminUrlOf(stateDir: string, databaseUrl: string): string {
  const url = new URL(withDatabase(databaseUrl, 'agentstore'));
  url.username = 'postgres';
  url.password = fs.readFileSync(
    `${findDataDirectory(path.join(stateDir, 'postgres')).path}.password`,
    'utf8',
  );
  return url.href;
}

/** A process and all that it started, ancestors before what they started: guard, postmaster, its workers and backends. */
function treeOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of fs.readdirSync('/proc').filter((one) => /^\d+$/.test(one)))
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It is gone.
    }
  const found = [pid];
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child);
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
