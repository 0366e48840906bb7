import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Client } from 'minio';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createServiceClient, type Send } from '@agentstore/kernel/http/client';
import { problemResponse } from '@agentstore/kernel/http/problem';
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

/** A runner on the given runtime; `kill` cuts it off from everything at once, as SIGKILL would. */
async function startRunner(
  more: Readonly<Record<string, string>> = {},
  /** Sees what the runner asks of runs and of billing before they do; an answer of its own keeps it from them. */
  between: (request: Request) => Promise<Response | undefined> = async () => undefined,
) {
  const settings = config.read({
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
    LEASE_SECONDS: '1',
    HEARTBEAT_SECONDS: '0.3',
    SHUTDOWN_SECONDS: '5',
    ...more,
  });
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
      baseUrl: 'http://runs',
      send: mortal((request) => runs.app.fetch(request)),
      token: runs.token,
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
    },
  };
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
    const facts = instance({ limits: { maxRunSeconds: 1, maxConcurrentRuns: 5 } });
    const events = await (await follow(facts, 'scripted-endless')).ended;
    expect(events.at(-1)).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED', retryable: false } });
  });

  it('writes without end is stopped with OUTPUT_TOO_LARGE', async () => {
    await startRunner({ MAX_OUTPUT_CHARACTERS: '100' });
    const events = await (await follow(instance(), 'scripted-endless?delay=0')).ended;
    expect(events.at(-1)).toMatchObject({ error: { code: 'OUTPUT_TOO_LARGE', retryable: false } });
    expect(textOf(events).length).toBeLessThanOrEqual(100);
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

describe('faults around a run', () => {
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
    await new Promise((resolve) => setTimeout(resolve, 100));
    await first.kill();
    await startRunner();
    expect((await run.ended).at(-1)).toMatchObject({ __typename: 'RunFinished' });
  });

  it('billing that is down delays the end, and never loses the settlement', async () => {
    await startRunner();
    const run = await follow(instance(), 'scripted-slow?tokens=3&delay=50');
    await run.seen('TextMessageContent');
    runs.billing.state.down = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(run.held().status).toBe('OPEN');
    runs.billing.state.down = false;
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
