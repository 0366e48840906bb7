import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '@agentstore/kernel/log';
import { spawnGuarded } from '../postgres/guard.ts';
import { sharedCache } from './config.ts';
import { demoArtifact } from './demo-flow.ts';
import { installLfx, lfxVersion } from './install-lfx.ts';

export interface LfxOptions {
  /** The port wished for; lfx takes the next one that is free for it, so `url` is what counts. */
  readonly port: number;
  readonly apiKey: string;
  /** Holds uploaded flows, and the virtual environment unless AGENTSTORE_CACHE names a shared place. */
  readonly stateDir: string;
  /** Interpreter for the virtual environment; default: the first Python 3.11 to 3.13 found. */
  readonly python?: string;
  readonly log: Log;
  readonly onProgress?: (text: string) => void;
  /** Called when it ends without being asked to, once it had served. */
  readonly onEnd?: () => void;
  /** Aborted: an install under way is ended. */
  readonly signal?: AbortSignal;
}

/** A running `lfx serve` on 127.0.0.1. */
export interface Lfx {
  readonly url: string;
  readonly version: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const startDeadlineMs = 180_000;
const stopDeadlineMs = 5_000;

/**
 * Installs lfx when it is not there and starts it in restricted mode: node code in a flow never runs, types it does not know are refused. The
 * process sees none of our environment, so no flow can read a secret from it, and it ends with us, kill -9 included.
 */
export async function startLfx(options: LfxOptions): Promise<Lfx> {
  const say = options.onProgress ?? (() => undefined);
  const stateDir = path.resolve(options.stateDir);
  const home = await installLfx({
    parent: sharedCache() ?? stateDir,
    onProgress: say,
    ...(options.python === undefined ? {} : { python: options.python }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const flowDir = path.join(stateDir, 'lfx-flows');
  fs.mkdirSync(flowDir, { recursive: true });
  say(`starting lfx ${lfxVersion}`);
  const args = [
    'serve',
    '--host',
    '127.0.0.1',
    '--port',
    String(options.port),
    '--flow-dir',
    flowDir,
    '--log-level',
    'critical',
    '--no-env-fallback',
  ];
  // The whole process group, should lfx have started others.
  const { child, dismiss } = spawnGuarded(path.join(home, 'bin/lfx'), args, {
    cwd: stateDir,
    env: {
      PATH: `${path.join(home, 'bin')}:/usr/bin:/bin`,
      HOME: stateDir,
      LANG: 'C.UTF-8',
      DO_NOT_TRACK: 'true',
      LANGFLOW_API_KEY: options.apiKey,
      LANGFLOW_ALLOW_CUSTOM_COMPONENTS: 'false',
      // The model and the tools of the dev stack are on loopback, which lfx otherwise refuses to call.
      LANGFLOW_SSRF_ALLOWED_HOSTS: '127.0.0.1',
    },
    output: ['pipe', 'pipe'],
    signal: 'KILL',
    group: true,
  });
  let isWanted = true;
  let isReady = false;
  let tail = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream
      .setEncoding('utf8')
      .on(
        'data',
        (text: string) => (tail = (tail + text.replaceAll(options.apiKey, '[redacted]')).slice(-4_000)),
      );
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      dismiss(); // its number may be given to another process
      reject(new Error(`lfx ended with ${code ?? signal}:\n${tail.trim()}`));
      if (!isWanted || !isReady) return;
      options.log.error({ code, signal, said: tail.trim() }, 'lfx ended by itself');
      options.onEnd?.();
    });
  });
  failed.catch(() => undefined);
  let url: string;
  try {
    url = await Promise.race([failed, becomesHealthy(() => tail)]);
    say('first run of lfx loads its components');
    await Promise.race([failed, warmUp(url, options.apiKey)]);
  } catch (error) {
    await end(child);
    throw error;
  }
  isReady = true;
  options.log.info({ url, version: lfxVersion, pid: child.pid }, 'lfx is up');
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref();
  return {
    url,
    version: lfxVersion,
    pid: child.pid!,
    stop() {
      isWanted = false;
      return end(child);
    },
  };
}

/**
 * The address it says it serves, once it answers there. It calls a port taken whose last connections are still in TIME_WAIT (it binds
 * without SO_REUSEADDR to find out), and moves to another one.
 */
async function becomesHealthy(log: () => string): Promise<string> {
  for (const deadline = Date.now() + startDeadlineMs; Date.now() < deadline; await sleep(200)) {
    const url = /Server: (http:\/\/127\.0\.0\.1:\d+)/.exec(log())?.[1];
    if (!url) continue;
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    if (answer?.ok) return url;
  }
  throw new Error(`lfx did not serve /health in ${startDeadlineMs / 1_000} s:\n${log().trim()}`);
}

/** The first upload and run import hundreds of modules (10 s of CPU); better now than in a buyer's first run. The model call itself fails. */
async function warmUp(url: string, apiKey: string): Promise<void> {
  const send = (method: string, target: string, body?: object): Promise<Response> =>
    fetch(`${url}${target}`, {
      method,
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(120_000),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const flow = JSON.parse(demoArtifact({ modelBaseUrl: 'http://127.0.0.1:9/v1' }).toString()) as object;
  const uploaded = await send('POST', '/flows/upload/', flow);
  if (uploaded.status !== 201)
    throw new Error(`lfx refused the demo flow: ${uploaded.status} ${await uploaded.text()}`);
  const { id } = (await uploaded.json()) as { id: string };
  await (
    await send('POST', '/api/v2/workflows', {
      flow_id: id,
      mode: 'stream',
      input_value: 'warm up',
      globals: { OPENAI_API_KEY: 'none' },
    })
  ).text();
  await send('DELETE', `/flows/${id}`);
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.ref();
    const timer = setTimeout(() => kill(child.pid!, 'SIGKILL'), stopDeadlineMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    kill(child.pid, 'SIGTERM');
  });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
