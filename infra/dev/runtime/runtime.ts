import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Log } from '@agentstore/kernel/log';
import type { Flavour } from './components.ts';
import { openFlowStore } from './flows.store.ts';
import { lfxVersion } from './install-lfx.ts';
import type { Job } from './jobs.ts';
import type { RuntimeDeps } from './exchange.ts';
import { answer } from './routes.ts';

export interface RuntimeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** The one key that `x-api-key` must carry. */
  readonly apiKey: string;
  /** Folder that keeps uploaded flows; made when it is not there. */
  readonly dir: string;
  /** Which server to be, default `lfx`. */
  readonly flavour?: Flavour;
  /** Pause before each token of the built-in model where the model's name does not say; default 0. */
  readonly delayPerTokenMs?: number;
  /** Langflow's stored variables. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Silence after which the Langflow flavour writes `: keepalive`, default 15 s. */
  readonly keepaliveMs?: number;
  /** Hears of each job that a client asked to stop. */
  readonly onStop?: (jobId: string) => void;
  readonly log: Log;
}

/** A running dev runtime on 127.0.0.1. */
export interface Runtime {
  readonly url: string;
  /** Ends at once: open streams are cut and their flows aborted. */
  stop(): Promise<void>;
}

/** Starts the double of `lfx serve` or of the Langflow backend: it executes flow JSON and speaks the recorded wire. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const deps: RuntimeDeps = {
    flavour: options.flavour ?? 'lfx',
    apiKey: options.apiKey,
    store: await openFlowStore(path.join(options.dir, 'flows')),
    jobs: new Map<string, Job>(),
    streams: new Map(),
    onStop: options.onStop ?? (() => undefined),
    model: { delayPerTokenMs: options.delayPerTokenMs ?? 0 },
    keepaliveMs: options.keepaliveMs ?? 15_000,
    stored: new Map(Object.entries(options.variables ?? {})),
    version: lfxVersion,
  };
  const server = http.createServer({ keepAliveTimeout: 30_000 }, (incoming, outgoing) => {
    answer(deps, incoming, outgoing).catch((error: unknown) => {
      options.log.error(
        { err: error, method: incoming.method, path: incoming.url?.split('?')[0] },
        'request failed',
      );
      if (outgoing.headersSent) outgoing.destroy();
      else
        outgoing.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end('Internal Server Error');
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  options.log.info({ url, flavour: deps.flavour, flows: deps.store.all().length }, 'dev runtime is up');
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        for (const job of deps.jobs.values()) job.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
