import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'minio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { createServiceClient, type Send } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { bodyLimit, serve } from '@agentstore/kernel/http/server';
import { silentLog } from '@agentstore/kernel/log';
import { testTrust } from '@agentstore/kernel/testing/callers';
import { fromGlobalId } from '@agentstore/kernel/ids';
import type { InstanceFacts } from '../../../../subgraphs/runs/src/runs/run.ts';
import {
  member,
  startRunsApp,
  type RunsApp,
  type SeenEvent,
} from '../../../../subgraphs/runs/src/testing/runs-app.ts';
import { demoArtifact } from '../../../../infra/dev/runtime/demo-flow.ts';
import { startRuntime, type Runtime } from '../../../../infra/dev/runtime/runtime.ts';
import { startObjects, type Objects } from '../../../../infra/dev/objects/objects.ts';
import { createApp } from '../app.ts';
import { config } from '../config.ts';
import { connect } from '../connect.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-runner-'));
const keys = { accessKey: 'test-access', secretKey: 'test-secret-key' };
const flow = demoArtifact({ modelBaseUrl: 'scripted:' });
let runs: RunsApp;
let runtimes: Record<'lfx' | 'langflow', Runtime>;
let objects: Objects;
let artifact: InstanceFacts['artifact'];
/** Jobs that the backend was asked to stop. */
const stopped: string[] = [];
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  runs = await startRunsApp();
  const at = (name: string): string => path.join(dir, name);
  const variables = { OPENAI_API_KEY: 'stored' };
  runtimes = {
    lfx: await startRuntime({ port: 0, apiKey: 'k', dir: at('lfx'), log: silentLog }),
    langflow: await startRuntime({
      port: 0,
      apiKey: 'k',
      dir: at('lf'),
      flavour: 'langflow',
      variables,
      onStop: (jobId) => stopped.push(jobId),
      log: silentLog,
    }),
  };
  objects = await startObjects({
    dir: at('objects'),
    port: 0,
    ...keys,
    buckets: ['artifacts'],
    log: silentLog,
  });
  artifact = await publish(flow);
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  runs.billing.state.down = false;
  runs.billing.state.refuseRaise = undefined;
});
afterAll(async () => {
  await Promise.all([runtimes.lfx.stop(), runtimes.langflow.stop(), objects.stop()]);
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Stores an artifact; answers how an instance names it. */
async function publish(bytes: Buffer): Promise<InstanceFacts['artifact']> {
  const { endPoint, port } = objects;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const client = new Client({ endPoint, port, useSSL: false, region: 'us-east-1', ...keys });
  await client.putObject('artifacts', sha256, bytes);
  return { bucket: 'artifacts', key: sha256, sha256, sizeBytes: bytes.length };
}

const settingsOf = (more: Readonly<Record<string, string>>) =>
  config.read({
    PORT: '0',
    OIDC_ISSUER: 'http://issuer.test',
    INTERNAL_JWKS: '{}',
    OIDC_CLIENT_ID: 'runner',
    OIDC_CLIENT_SECRET: 'x',
    RUNS_URL: 'http://runs',
    BILLING_URL: 'http://billing',
    S3_URL: objects.url,
    S3_ACCESS_KEY: keys.accessKey,
    S3_SECRET_KEY: keys.secretKey,
    RUNTIME_URL: runtimes.lfx.url,
    RUNTIME_API_KEY: 'k',
    RUNTIME_GLOBALS: '{"OPENAI_API_KEY":"k"}',
    SESSION_SECRET: 's'.repeat(32),
    RUNNER_URL: 'http://runner.test',
    LEASE_SECONDS: '20',
    HEARTBEAT_SECONDS: '0.3',
    SHUTDOWN_SECONDS: '5',
    ...more,
  });

/** A runner on the given runtime; `kill` cuts it off from everything at once, as SIGKILL would, and ends the leases that nobody renews now. */
async function startRunner(
  more: Readonly<Record<string, string>> = {},
  /** Sees what the runner asks of runs and of billing before they do; an answer of its own keeps it from them. */
  between: (request: Request) => Promise<Response | undefined> = async () => undefined,
  /** Where runs is served over HTTP; in this process when absent. */
  runsUrl?: string,
) {
  const settings = settingsOf(more);
  let dead = false;
  const mortal =
    (send: Send): Send =>
    async (request) => {
      const own = dead ? undefined : await between(request);
      if (dead) throw new Error('this process was killed');
      return own ?? send(request);
    };
  const deps = connect(settings, {
    log: silentLog,
    authenticate: (await testTrust('runner')).authenticate,
    runs: createServiceClient({
      name: 'runs',
      token: runs.token,
      ...(runsUrl
        ? { baseUrl: runsUrl }
        : { baseUrl: 'http://runs', send: mortal((request) => runs.app.fetch(request)) }),
    }),
    billing: createServiceClient({
      name: 'billing',
      baseUrl: 'http://billing',
      send: mortal(runs.billing.fetch),
    }),
  });
  const app = createApp(deps);
  await app.start();
  closers.push(() => app.stop());
  return {
    app,
    async kill(): Promise<void> {
      dead = true;
      await deps.runtime.close();
      await runs.deps.db.transaction(systemScope('test'), (tx) =>
        tx.sql('update run set lease_until = now() where lease_until > now()'),
      );
    },
  };
}

/** A server before the lfx double: what `handle` answers, or takes in silence, does not get through. */
async function standIn(
  handle: (request: http.IncomingMessage, answer: http.ServerResponse) => boolean,
): Promise<string> {
  const server = http.createServer((request, answer) => {
    if (handle(request, answer)) return;
    const { method, headers } = request;
    const target = http.request(new URL(request.url!, runtimes.lfx.url), { method, headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers);
      got.pipe(answer);
    });
    request.pipe(target);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const instance = (more: Partial<InstanceFacts> = {}): InstanceFacts =>
  runs.controlPlane.add({ artifact, ...more });

/** Starts a run; its id and all its events. */
async function follow(facts: InstanceFacts, input: string) {
  const { run, errors } = await runs.start(facts, { input });
  expect(errors).toEqual([]);
  const events: SeenEvent[] = [];
  const ended = (async () => {
    for await (const event of runs.events(member(facts), run!.id, 0)) events.push(event);
    return events;
  })();
  const seen = async (kind: string): Promise<void> => {
    while (!events.some((event) => event.__typename === kind))
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const held = () => runs.billing.reservations.get(fromGlobalId('Run', run!.id)!)!;
  return { id: run!.id, ended, seen, held };
}
const textOf = (events: readonly SeenEvent[]): string =>
  events
    .map((event) => (event.__typename === 'TextMessageContent' ? (event['delta'] as string) : ''))
    .join('');
const kinds = (events: readonly SeenEvent[]): string[] => events.map((event) => event.__typename);

describe.each(['lfx', 'langflow'] as const)('a run on %s', (flavour) => {
  const start = () => startRunner({ RUNTIME_FLAVOUR: flavour, RUNTIME_URL: runtimes[flavour].url });

  it('streams its text, settles, and ends with output, usage and charge', async () => {
    await start();
    const run = await follow(instance(), 'say something with scripted-words?tokens=30');
    const events = await run.ended;
    const last = events.at(-1)!;
    expect(kinds(events)[0]).toBe('RunStarted');
    expect(last).toMatchObject({
      __typename: 'RunFinished',
      charge: run.held().charge,
      usage: { status: 'REPORTED', models: [{ outputTokens: 30 }] },
    });
    expect(textOf(events)).toBe(last['output']);
    expect(textOf(events)).toMatch(/^w0 w1 .*w29/);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(kinds(events).filter((kind) => kind === 'StepStarted')).toHaveLength(
      kinds(events).filter((kind) => kind === 'StepFinished').length,
    );
    expect(run.held()).toMatchObject({ status: 'SETTLED' });
    expect(run.held().usage).toContainEqual({ dimension: 'output_token', quantity: '30' });
    expect(run.held().usage).toContainEqual({ dimension: 'run', quantity: '1' });
  });

  it('fails with a reason of our own when the model fails, and shows nothing of the runtime', async () => {
    await start();
    const run = await follow(instance(), 'scripted-fail?tokens=3');
    const events = await run.ended;
    expect(events.at(-1)).toMatchObject({
      __typename: 'RunFailed',
      error: { code: 'RUNTIME_ERROR', retryable: true },
    });
    expect(JSON.stringify(events)).not.toMatch(/Traceback|scripted model failed|\.py|site-packages/);
    expect(run.held().status).not.toBe('OPEN');
  });

  it('is cancelled while it streams, and charged for what it used', async () => {
    await start();
    const facts = instance();
    const run = await follow(facts, 'scripted-endless');
    await run.seen('TextMessageContent');
    await runs.graph(
      member(facts),
      `mutation { runCancel(input: { runId: "${run.id}" }) { errors { code } } }`,
    );
    const events = await run.ended;
    expect(kinds(events).slice(-2)).toEqual(expect.arrayContaining(['RunCancelled']));
    expect(events.at(-1)).toMatchObject({ __typename: 'RunCancelled', charge: run.held().charge });
    expect(kinds(events)).toContain('TextMessageEnd');
    expect(run.held()).toMatchObject({ status: 'SETTLED' });
    // The backend is told; `lfx serve` hears it from the closed connection alone.
    expect(stopped.splice(0)).toHaveLength(flavour === 'lfx' ? 0 : 1);
  });
});

describe('a run whose flow', () => {
  it('says nothing for too long ends IDLE_TIMEOUT', async () => {
    await startRunner({ IDLE_SECONDS: '0.5' });
    const events = await (await follow(instance(), 'scripted-hang?tokens=2')).ended;
    expect(events.at(-1)).toMatchObject({
      __typename: 'RunFailed',
      error: { code: 'IDLE_TIMEOUT', retryable: true },
    });
  });

  it('goes on past the deadline ends DEADLINE_EXCEEDED', async () => {
    await startRunner();
    // Long enough to be taken by a runner first, however slow the machine is.
    const facts = instance({ limits: { maxRunSeconds: 3, maxConcurrentRuns: 5 } });
    const events = await (await follow(facts, 'scripted-endless')).ended;
    expect(events.at(-1)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED', retryable: false } });
  });

  it('writes without end is stopped with OUTPUT_TOO_LARGE', async () => {
    await startRunner({ MAX_OUTPUT_BYTES: '100' });
    const events = await (await follow(instance(), 'scripted-endless?delay=0')).ended;
    expect(events.at(-1)).toMatchObject({ error: { code: 'OUTPUT_TOO_LARGE', retryable: false } });
    expect(textOf(events).length).toBeLessThanOrEqual(100);
  });

  it.each([
    ['MAX_CHARGE_REACHED', 'MAX_CHARGE_REACHED'],
    ['INSUFFICIENT_CREDITS', 'CREDITS_EXHAUSTED'],
    ['WALLET_FROZEN', 'CREDITS_EXHAUSTED'],
  ] as const)('is not paid for any longer (%s) ends %s, charged for what it used', async (refusal, code) => {
    await startRunner();
    const run = await follow(instance(), 'scripted-endless');
    await run.seen('TextMessageContent');
    runs.billing.state.refuseRaise = refusal;
    const events = await run.ended;
    expect(events.at(-1)).toMatchObject({
      __typename: 'RunFailed',
      error: { code, retryable: false },
      charge: run.held().charge,
    });
    expect(run.held()).toMatchObject({ status: 'SETTLED' });
    expect(run.held().usage).toContainEqual({ dimension: 'run', quantity: '1' });
    expect(run.held().cover).toContainEqual({ dimension: 'run', quantity: '1' });
    expect(run.held().checkpoint).toEqual([]);
  });

  it('is not the published artifact executes nothing', async () => {
    await startRunner();
    for (const wrong of [
      { ...artifact, sha256: 'f'.repeat(64) },
      { ...artifact, sizeBytes: artifact.sizeBytes - 1 },
      { ...artifact, sizeBytes: artifact.sizeBytes + 1 },
    ]) {
      const run = await follow(instance({ artifact: wrong }), 'hello');
      const events = await run.ended;
      expect(kinds(events)).toEqual(['RunStarted', 'RunFailed']);
      expect(events.at(-1)).toMatchObject({
        error: { code: 'ARTIFACT_MISMATCH', retryable: false },
        charge: '0',
      });
      expect(run.held().status).toBe('RELEASED');
    }
  });

  it('is nowhere to be found ends ARTIFACT_UNAVAILABLE', async () => {
    await startRunner();
    const run = await follow(instance({ artifact: { ...artifact, key: 'gone.json' } }), 'hello');
    expect((await run.ended).at(-1)).toMatchObject({
      error: { code: 'ARTIFACT_UNAVAILABLE', retryable: true },
    });
    expect(run.held().status).toBe('RELEASED');
  });
});

describe('a runner that starts', () => {
  it('refuses a flow runtime of another kind than configured, and one that is too old', async () => {
    const wrong = { RUNTIME_FLAVOUR: 'langflow', RUNTIME_URL: runtimes.lfx.url };
    await expect(startRunner(wrong)).rejects.toThrow('is lfx, and RUNTIME_FLAVOUR says langflow');
    const old = await standIn((request, answer) => {
      answer.end(
        JSON.stringify(request.url === '/api/v1/version' ? { version: '1.12.9' } : { status: 'ok' }),
      );
      return true;
    });
    await expect(startRunner({ RUNTIME_FLAVOUR: 'langflow', RUNTIME_URL: old })).rejects.toThrow(
      'has version 1.12.9',
    );
  });

  it('refuses a lease that is too long for a takeover in time, and heartbeats that a lost one would break', () => {
    expect(() => settingsOf({ LEASE_SECONDS: '21' })).toThrow('LEASE_SECONDS');
    expect(() => settingsOf({ LEASE_SECONDS: '9', HEARTBEAT_SECONDS: '3.1' })).toThrow('HEARTBEAT_SECONDS');
    expect(() => settingsOf({ LEASE_SECONDS: '9', HEARTBEAT_SECONDS: '3' })).not.toThrow();
  });

  it('finds the flows that another one gave to a Langflow backend', async () => {
    const options = { RUNTIME_FLAVOUR: 'langflow', RUNTIME_URL: runtimes.langflow.url };
    const names = async (): Promise<string[]> => {
      const headers = { 'x-api-key': 'k' };
      const answer = await fetch(`${runtimes.langflow.url}/api/v1/flows/`, { headers });
      return ((await answer.json()) as { name: string }[]).map(({ name }) => name);
    };
    const facts = instance({ effectiveConfig: { TONE: 'formal' } });
    const before = (await names()).length;
    for (let i = 0; i < 2; i++) {
      const { app } = await startRunner(options);
      expect((await (await follow(facts, 'hello')).ended).at(-1)).toMatchObject({
        __typename: 'RunFinished',
      });
      await app.stop();
    }
    expect(await names()).toHaveLength(before + 1);
  });
});

describe('faults around a run', () => {
  it('a runner killed between the settlement and the end: the next one ends the run with its output', async () => {
    const first: { kill?: () => Promise<void> } = {};
    const asked: string[] = [];
    Object.assign(
      first,
      await startRunner({}, async ({ url }) => {
        asked.push(url.split('/').at(-1)!);
        if (url.endsWith('/finish')) await first.kill!();
        return undefined;
      }),
    );
    const run = await follow(instance(), 'scripted-words?tokens=3');
    while (run.held().status === 'OPEN') await new Promise((resolve) => setTimeout(resolve, 10));
    await startRunner();
    const events = await run.ended;
    expect(events.at(-1)).toMatchObject({
      __typename: 'RunFinished',
      output: 'w0 w1 w2 ',
      charge: run.held().charge,
      usage: { status: 'REPORTED' },
    });
    expect(asked.filter((verb) => ['ending', 'settle'].includes(verb))).toEqual(['ending', 'settle']);
  });

  it('a runner killed while the runtime has its request: the flow is not executed again', async () => {
    let asked = 0;
    // It takes the run and says nothing.
    const RUNTIME_URL = await standIn(({ url }) => url === '/api/v2/workflows' && (asked += 1) > 0);
    const first = await startRunner({ RUNTIME_URL });
    const run = await follow(instance(), 'hello');
    while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await first.kill();
    await startRunner({ RUNTIME_URL });
    expect((await run.ended).at(-1)).toMatchObject({ error: { code: 'RUNNER_LOST' }, charge: '0' });
    expect(asked).toBe(1);
  });

  it.each([502, 504])(
    'a proxy that says %i of a request: nobody knows what became of it, so it is not repeated',
    async (status) => {
      let asked = 0;
      const RUNTIME_URL = await standIn(({ url }, answer) => {
        if (url !== '/api/v2/workflows') return false;
        asked += 1;
        answer.writeHead(status).end();
        return true;
      });
      await startRunner({ RUNTIME_URL });
      const run = await follow(instance(), 'hello');
      expect((await run.ended).at(-1)).toMatchObject({ error: { code: 'RUNTIME_UNAVAILABLE' } });
      expect(asked).toBe(1);
    },
  );

  it('an upload that is cut off is repeated', async () => {
    let asked = 0;
    const RUNTIME_URL = await standIn(({ url, socket }) => {
      if (url !== '/flows/upload/' || ++asked > 2) return false;
      socket.destroy();
      return true;
    });
    await startRunner({ RUNTIME_URL });
    const run = await follow(instance(), 'hello');
    expect((await run.ended).at(-1)).toMatchObject({ __typename: 'RunFinished' });
    expect(asked).toBe(3);
  });

  it('a run executed anew after its first owner noted nothing: its own usage is noted', async () => {
    const first = await startRunner({ RUNTIME_URL: 'http://127.0.0.1:9', RUNTIME_PATIENCE_SECONDS: '60' });
    const run = await follow(instance(), 'scripted-words?tokens=7');
    while (run.held().checkpoint === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(run.held().checkpoint).toEqual([]);
    await first.kill();
    await startRunner({}, async ({ url }) =>
      url.endsWith('/ending')
        ? problemResponse({ status: 503, code: 'UNAVAILABLE', title: 'not now' })
        : undefined,
    );
    while (!run.held().checkpoint?.some(({ dimension }) => dimension === 'output_token'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(run.held().checkpoint).toContainEqual({ dimension: 'output_token', quantity: '7' });
  });

  it('a run whose time is over before anybody took it is not executed', async () => {
    const facts = instance({
      effectiveConfig: { TONE: 'late' },
      limits: { maxRunSeconds: 0, maxConcurrentRuns: 5 },
    });
    let asked = 0;
    const RUNTIME_URL = await standIn(() => (asked += 1) < 0);
    const warm = await startRunner({ RUNTIME_URL });
    await (
      await follow(instance(), 'warm the cache of artifacts')
    ).ended;
    asked = 0;
    expect((await (await follow(facts, 'hello')).ended).at(-1)).toMatchObject({
      __typename: 'RunFailed',
      charge: '0',
    });
    expect(asked).toBe(0);
    await warm.app.stop();
  });

  it('an answer as long as may be, in a script of three bytes a character, is ended over HTTP', async () => {
    const served = await serve({ fetch: runs.app.fetch, port: 0, log: silentLog });
    closers.push(() => served.close());
    await startRunner({ MAX_EVENT_BYTES: '8000000', MAX_STREAM_BYTES: '80000000' }, undefined, served.origin);
    const run = await follow(instance(), `scripted-echo?tokens=4700&delay=0 ${'漢'.repeat(900)}`);
    const last = (await run.ended).at(-1)!;
    expect(last).toMatchObject({ __typename: 'RunFinished', charge: run.held().charge });
    // Twice it would be more than the server takes.
    expect(Buffer.byteLength(last['output'] as string)).toBeGreaterThan(bodyLimit().most / 2);
  });

  it('a step whose name no store can hold is named without what cannot be held', async () => {
    await startRunner();
    const named = flow
      .toString()
      .replaceAll('"display_name": "OpenAI"', String.raw`"display_name": "Open\u0000AI\ud83d"`);
    expect(named).not.toBe(flow.toString());
    const run = await follow(instance({ artifact: await publish(Buffer.from(named)) }), 'hello');
    const events = await run.ended;
    expect(events.at(-1)).toMatchObject({ __typename: 'RunFinished' });
    expect(events).toContainEqual(
      expect.objectContaining({ __typename: 'StepStarted', step: 'OpenAI\ufffd' }),
    );
  });

  it('events that the store fails at again and again: the run ends as failed on our side', async () => {
    await startRunner({}, async ({ url }) =>
      url.endsWith('/events')
        ? problemResponse({ status: 500, code: 'INTERNAL', title: 'a fault' })
        : undefined,
    );
    const events = await (await follow(instance(), 'hello')).ended;
    expect(events).toMatchObject([
      { __typename: 'RunFailed', seq: 1, error: { code: 'INTERNAL', retryable: true } },
    ]);
  });

  it('events that cannot be stored: the run is let go of some time after its deadline, and its hand is free', async () => {
    const facts = instance({ limits: { maxRunSeconds: 1, maxConcurrentRuns: 5 } });
    let stuck: string | undefined;
    await startRunner({ RUNNER_CONCURRENCY: '1', END_PATIENCE_SECONDS: '0.2' }, async ({ url }) => {
      if (!url.endsWith('/events') || url !== (stuck ??= url)) return undefined;
      return problemResponse({ status: 503, code: 'UNAVAILABLE', title: 'not now' });
    });
    await runs.start(facts, { input: 'hello' });
    expect((await (await follow(instance(), 'next')).ended).at(-1)).toMatchObject({
      __typename: 'RunFinished',
    });
  });

  it('a runtime that is away: RUNTIME_UNAVAILABLE after some patience, the credits given back', async () => {
    await startRunner({ RUNTIME_URL: 'http://127.0.0.1:9', RUNTIME_PATIENCE_SECONDS: '0.3' });
    const run = await follow(instance(), 'hello');
    expect((await run.ended).at(-1)).toMatchObject({
      error: { code: 'RUNTIME_UNAVAILABLE', retryable: true },
      charge: '0',
    });
    expect(run.held().status).toBe('RELEASED');
  });

  it('a runtime that has forgotten its flows is given the flow again', async () => {
    await startRunner();
    await (
      await follow(instance(), 'one')
    ).ended;
    const { port } = new URL(runtimes.lfx.url);
    await runtimes.lfx.stop();
    runtimes.lfx = await startRuntime({
      port: Number(port),
      apiKey: 'k',
      dir: path.join(dir, 'lfx2'),
      log: silentLog,
    });
    expect((await (await follow(instance(), 'two')).ended).at(-1)).toMatchObject({
      __typename: 'RunFinished',
    });
  });

  it('a killed runner: another takes the run over, settles it, and ends it RUNNER_LOST', async () => {
    const first = await startRunner();
    const run = await follow(instance(), 'scripted-endless');
    await run.seen('TextMessageContent');
    await first.kill();
    await startRunner();
    const events = await run.ended;
    expect(events.at(-1)).toMatchObject({
      __typename: 'RunFailed',
      error: { code: 'RUNNER_LOST', retryable: true },
    });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(run.held().status).not.toBe('OPEN');
  });

  it('a runner killed before anything was produced: another one just runs it', async () => {
    const first = await startRunner({ RUNTIME_URL: 'http://127.0.0.1:9', RUNTIME_PATIENCE_SECONDS: '60' });
    const run = await follow(instance(), 'hello');
    while (run.held().checkpoint === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    await first.kill();
    await startRunner();
    expect((await run.ended).at(-1)).toMatchObject({ __typename: 'RunFinished' });
  });

  it('billing that is down delays the end, and never loses the settlement', async () => {
    let settlements = 0;
    let isAway = true;
    await startRunner({}, async ({ url }) => {
      if (!url.endsWith('/settle')) return undefined;
      settlements += 1;
      runs.billing.state.down = isAway;
      return undefined;
    });
    const run = await follow(instance(), 'scripted-slow?tokens=3&delay=50');
    await expect.poll(() => settlements).toBeGreaterThan(1);
    expect(run.held().status).toBe('OPEN');
    runs.billing.state.down = isAway = false;
    expect((await run.ended).at(-1)).toMatchObject({ __typename: 'RunFinished', charge: run.held().charge });
    expect(run.held().status).toBe('SETTLED');
  });

  it('a runner that stops lets its runs end', async () => {
    const { app } = await startRunner({ SHUTDOWN_SECONDS: '10' });
    const run = await follow(instance(), 'scripted-slow?tokens=5&delay=30');
    await run.seen('TextMessageContent');
    await app.stop();
    expect((await run.ended).at(-1)).toMatchObject({ __typename: 'RunFinished' });
  });

  it('a runner that stops at once ends what it began and hands back what it did not', async () => {
    const { app } = await startRunner({ SHUTDOWN_SECONDS: '0' });
    const begun = await follow(instance(), 'scripted-endless');
    await begun.seen('TextMessageContent');
    await app.stop();
    expect((await begun.ended).at(-1)).toMatchObject({ error: { code: 'RUNNER_LOST' } });
    const idle = await startRunner({ RUNTIME_URL: 'http://127.0.0.1:9', SHUTDOWN_SECONDS: '0' });
    const waiting = await follow(instance(), 'hello');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await idle.app.stop();
    await startRunner();
    expect((await waiting.ended).at(-1)).toMatchObject({ __typename: 'RunFinished' });
  });
});
