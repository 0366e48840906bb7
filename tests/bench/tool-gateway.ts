import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { serve, type HttpServer } from '@agentstore/kernel/http/server';
import { silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import type { BenchStore } from './open-store.ts';

const root = path.join(import.meta.dirname, '../..');
const readyWithinMs = 60_000;
/** Clock ticks of /proc in a second: the same on every Linux that Node runs on. */
const ticks = 100;

/** A tool gateway as a deployment has it: a process of its own. */
export interface GatewayProcess {
  readonly origin: string;
  /** The runner, as the gateway reaches it. */
  readonly owner: string;
  /** Memory of the process that is in RAM now, in MB. */
  rssMb(): number;
  /** Time on a processor since its start, in milliseconds. */
  cpuMs(): number;
  close(): Promise<void>;
}

/** Starts it beside the store, whose other services it calls over HTTP; it may call `upstream`. Its limits on calls are out of the way. */
export async function openGateway(store: BenchStore, upstream: string): Promise<GatewayProcess> {
  const { doubles, secrets, mounted } = store.stack;
  const servers: HttpServer[] = [];
  const served = async (app: string): Promise<string> => {
    const server = await serve({ fetch: mounted.apps[app]!.fetch, port: 0, log: silentLog });
    servers.push(server);
    return server.origin;
  };
  const [controlPlane, gitops, rag, owner] = [
    await served('control-plane'),
    await served('gitops'),
    await served('rag'),
    await served('runner'),
  ];
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['workers/tools/src/main.ts'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      LOG_LEVEL: 'fatal',
      DATABASE_URL: doubles.databaseUrl,
      OIDC_ISSUER: doubles.identity.issuer,
      INTERNAL_JWKS: JSON.stringify(secrets.internalJwks),
      OIDC_CLIENT_ID: 'tools',
      OIDC_CLIENT_SECRET: doubles.identity.serviceSecrets['tools'],
      CONTROL_PLANE_URL: controlPlane,
      GITOPS_URL: gitops,
      RAG_URL: rag,
      TOOLS_ORIGIN: origin,
      RUN_TOKEN_JWKS: JSON.stringify(secrets.runTokens.jwks),
      VAULT_ORIGIN: doubles.vault.url,
      VAULT_KEY: JSON.stringify(secrets.vault.toolsLogin),
      EGRESS_PRIVATE_ORIGINS: upstream,
      EGRESS_CONNECTIONS_PER_ORIGIN: '1024',
      TOOLS_MAX_CALLS: '4096',
      TOOLS_MAX_CALLS_PER_RUN: '4096',
      TOOLS_MOST_CALLS_OF_RUN: '10000000',
    },
  });
  const ended = once(child, 'exit');
  const late = AbortSignal.timeout(readyWithinMs);
  await Promise.race([
    once(child, 'message', { signal: late }),
    ended.then(([code]) => {
      throw new Error(`the gateway ended with ${code} before it was ready`);
    }),
  ]);
  return {
    origin,
    owner,
    rssMb() {
      const [, kB] = /^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return (Number(kB) * 1_024) / 1e6;
    },
    cpuMs() {
      const [user, system] = fs
        .readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '') // its name may hold anything
        .split(' ')
        .slice(11, 13);
      return ((Number(user) + Number(system)) * 1_000) / ticks;
    },
    async close() {
      child.kill('SIGTERM');
      await ended;
      await Promise.all(servers.map((server) => server.close(0)));
    },
  };
}
