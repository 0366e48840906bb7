import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { GraphQLError } from 'graphql';
import git from 'isomorphic-git';
import { Client as ObjectClient } from 'minio';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRepository } from '@agentstore/gitops/writer/repository';
import { createBuilder } from '@agentstore/kernel/graphql/builder';
import { createGraphqlHandler } from '@agentstore/kernel/graphql/server';
import { anonymous } from '@agentstore/kernel/caller';
import { createLog, silentLog } from '@agentstore/kernel/log';
import { freePort } from '@agentstore/kernel/testing/free-port';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { histogram, startTelemetry, withSpan } from '@agentstore/kernel/telemetry';
import { startObjects } from '../../../infra/dev/objects/objects.ts';
import { findSecret, type Place } from './find-secret.ts';
import { startCollector } from './otlp-collector.ts';
import { database, files, insidesOf, recorder, repository, spans, valuesOf } from './places.ts';

const secret = 'demo-secret/9f2c "7d1e"';
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'places-'));
afterAll(() => fs.rmSync(home, { recursive: true, force: true }));

const where = async (place: Place): Promise<string[]> => [
  ...new Set((await findSecret(place, secret)).map((found) => found.where)),
];

it('finds a secret in a log line, and not what the log keeps out', async () => {
  const lines = recorder('log');
  const log = createLog({ name: 'test', destination: lines });
  log.info({ token: secret }, 'a member of this name is kept out');
  expect(await where(lines)).toEqual([]);
  log.info({ upstream: { said: secret } }, 'echoed');
  expect(await where(lines)).toEqual(['log']);
});

it('finds a secret in a run event', async () => {
  const events = [
    { kind: 'RunStarted' },
    { kind: 'ToolCallResult', content: `{"key":${JSON.stringify(secret)}}` },
  ];
  expect(await where(valuesOf('run event', events.slice(0, 1)))).toEqual([]);
  expect(await where(valuesOf('run event', events))).toEqual(['run event 1']);
});

it('finds a secret in whatever a span exports', async () => {
  // The SDK is the kernel's own dependency.
  const sdk = createRequire(path.join(import.meta.dirname, '../../../kernel/package.json'))(
    '@opentelemetry/sdk-trace',
  ) as Sdk;
  const exporter = new sdk.InMemorySpanExporter();
  const tracer = new sdk.TracerProvider({
    spanProcessors: [new sdk.SimpleSpanProcessor({ exporter })],
  }).getTracer('test');
  tracer.startSpan('clean', { attributes: { 'gen_ai.tool.name': 'orders__find_order' } }).end();
  expect(await where(spans(exporter.getFinishedSpans()))).toEqual([]);
  tracer.startSpan('attribute', { attributes: { 'http.request.header': [`Bearer ${secret}`] } }).end();
  const noted = tracer.startSpan('event');
  noted.addEvent('exception', { 'exception.message': secret });
  noted.end();
  const failed = tracer.startSpan('status');
  failed.setStatus({ code: 2, message: secret });
  failed.end();
  tracer.startSpan(`name ${secret}`).end();
  expect(await where(spans(exporter.getFinishedSpans()))).toEqual([
    'span attribute',
    'span event',
    'span status',
    `span name ${secret}`,
  ]);
});

it('finds a secret in what a collector was sent', async () => {
  const collector = await startCollector();
  const telemetry = await startTelemetry({ service: 'test', otlpUrl: collector.url });
  await withSpan('planted', { 'gen_ai.tool.name': secret }, async () => undefined);
  histogram('planted', 's', 'Of this test.')(1, { 'error.type': secret });
  await telemetry.stop();
  collector.stop();
  expect(await where([collector.received('traces')])).toEqual(['traces']);
  expect(await where([collector.received('metrics')])).toEqual(['metrics']);
});

interface Span {
  addEvent(name: string, attributes: object): void;
  setStatus(status: object): void;
  end(): void;
}
interface Sdk {
  readonly InMemorySpanExporter: new () => { getFinishedSpans(): Parameters<typeof spans>[0] };
  readonly SimpleSpanProcessor: new (options: object) => object;
  readonly TracerProvider: new (options: object) => {
    getTracer(name: string): { startSpan(name: string, options?: object): Span };
  };
}

describe('a database', () => {
  let adminUrl: string;
  let admin: pg.Client;
  beforeAll(async () => {
    ({ adminUrl } = await testDatabase());
    admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query(`create schema planted; create table planted."odd name" (id int, note text, doc jsonb, raw bytea, many text[]);
      create table planted.by_day (day date, note text) partition by range (day);
      create table planted.monday partition of planted.by_day for values from ('2026-01-05') to ('2026-01-06')`);
  });
  afterAll(() => admin.end());

  it('that was only migrated holds no secret', async () => {
    expect(await where(database(adminUrl))).toEqual([]);
  });

  it.each<[string, string, string, unknown]>([
    ['a text', 'planted."odd name"', 'note', secret],
    ['a JSON document', 'planted."odd name"', 'doc', JSON.stringify({ inside: { of: [secret] } })],
    ['bytes', 'planted."odd name"', 'raw', Buffer.from(`x${secret}x`)],
    ['base64 in bytes', 'planted."odd name"', 'raw', Buffer.from(Buffer.from(secret).toString('base64'))],
    ['an array', 'planted."odd name"', 'many', ['a', secret]],
    ['a partition', 'planted.by_day', 'day, note', secret],
    ["the kernel's outbox", 'runs.outbox', 'id, topic, key, payload', JSON.stringify({ secret })],
  ])('with a secret in %s is found out', async (_what, table, columns, value) => {
    const fixed: Readonly<Record<string, string>> = {
      'day, note': "'2026-01-05', $1",
      'id, topic, key, payload': "gen_random_uuid(), 't', 'k', $1",
    };
    await admin.query('begin');
    await admin.query(`insert into ${table} (${columns}) values (${fixed[columns] ?? '$1'})`, [value]);
    await admin.query('commit');
    const found = await where(database(adminUrl));
    await admin.query(`delete from ${table}`);
    expect(found.map((one) => one.split(',')[0])).toContain(
      `table ${table === 'planted.by_day' ? 'planted.monday' : table}`,
    );
    expect(await where(database(adminUrl))).toEqual([]);
  });

  it('with a secret in a large object or a function is found out', async () => {
    await admin.query('select lo_from_bytea(4711, $1)', [Buffer.from(secret)]);
    await admin.query(`create function planted.f() returns text language sql as $f$ select '${secret}' $f$`);
    expect(await where(database(adminUrl))).toEqual(['large object 4711', 'function planted.f()']);
  });
});

it('finds a secret in any object of a repository, though a later commit took it out, loose or packed', async () => {
  const gitdir = path.join(home, 'bare.git');
  const opened = await openRepository({ directory: gitdir, branch: 'main' });
  const author = { name: 'Test', email: 'test@example.test' };
  await opened.commit(new Map([['a/b.yaml', 'clean: true\n']]), 'Clean', author);
  expect(await where(repository(gitdir))).toEqual([]);
  await opened.commit(new Map([['a/b.yaml', `key: ${secret}\n`]]), 'Planted', author);
  await opened.commit(new Map([['a/b.yaml', null]]), `Took ${secret} out`, author);
  const loose = await where(repository(gitdir));
  expect(new Set(loose.map((one) => one.split(' ')[1]))).toEqual(new Set(['blob', 'commit']));

  const oids = fs
    .globSync('objects/[0-9a-f][0-9a-f]/*', { cwd: gitdir })
    .map((file) => file.slice(-41).replace('/', ''));
  const { filename } = await git.packObjects({ fs, gitdir, dir: gitdir, oids, write: true });
  await git.indexPack({ fs, gitdir, dir: gitdir, filepath: `objects/pack/${filename}` });
  for (const oid of oids) fs.rmSync(path.join(gitdir, 'objects', oid.slice(0, 2), oid.slice(2)));
  expect(new Set(await where(repository(gitdir)))).toEqual(new Set(loose));

  fs.appendFileSync(
    path.join(gitdir, 'config'),
    `[remote]\n\turl = https://x:${encodeURIComponent(secret)}@host/\n`,
  );
  expect(await where(repository(gitdir))).toContain(path.join(gitdir, 'config'));
});

it('finds a secret in a folder in which files are written under temporary names at the same time', async () => {
  const folder = path.join(home, 'at-work');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'kept'), secret);
  const writer = new Worker(
    `const fs = require('node:fs');
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let n = 0; ; n++) {
      fs.writeFileSync('${folder}/' + n + '.tmp', 'clean');
      Atomics.wait(pause, 0, 0, 1);
      fs.renameSync('${folder}/' + n + '.tmp', '${folder}/' + (n % 50));
      Atomics.wait(pause, 0, 0, 4);
    }`,
    { eval: true },
  );
  try {
    while (fs.readdirSync(folder).length < 50) await sleep(10);
    for (let look = 0; look < 200; look++)
      expect(await where(files(folder))).toEqual([path.join(folder, 'kept')]);
  } finally {
    await writer.terminate();
  }
});

it('finds a secret in an object of the storage, in its content and in its name', async () => {
  const dir = path.join(home, 'objects');
  const keys = { accessKey: 'agentstore', secretKey: 'keys of this test' };
  const server = await startObjects({ dir, port: 0, ...keys, buckets: ['artifacts'], log: silentLog });
  const client = new ObjectClient({
    endPoint: server.endPoint,
    port: server.port,
    useSSL: false,
    region: 'us-east-1',
    ...keys,
  });
  await client.putObject('artifacts', 'flow.json', '{"data":{}}');
  expect(await where(files(dir))).toEqual([]);
  await client.putObject('artifacts', 'planted.json', JSON.stringify({ globals: { KEY: secret } }));
  expect(await where(files(dir))).toHaveLength(1);
  await server.stop();
});

describe('a process', () => {
  let child: ChildProcess;
  let inspector: string;
  /** Takes commands: `keep` a string at the end of one longer than what a snapshot shows by itself; put it into the `environment`, which a report shows. */
  const program = `let kept;
    process.stdin.setEncoding('utf8').on('data', (text) => {
      const [what, value] = JSON.parse(text);
      if (what === 'keep') kept = Buffer.from('x'.repeat(5_000) + value).toString();
      if (what === 'environment') Object.assign(process.env, { PLANTED: value });
      process.stdout.write('done\\n');
    });
    setInterval(() => kept, 60_000);`;
  const tell = async (...command: string[]): Promise<void> => {
    const answered = once(child.stdout!, 'data');
    child.stdin!.write(JSON.stringify(command));
    await answered;
  };
  beforeAll(async () => {
    const port = await freePort();
    inspector = `http://127.0.0.1:${port}`;
    child = spawn(process.execPath, [`--inspect=127.0.0.1:${port}`, '--eval', program], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    for (let up = false; !up; await sleep(20))
      up = await fetch(`${inspector}/json/version`).then(
        () => true,
        () => false,
      );
  });
  afterAll(() => child.kill());

  it('without a secret is clean', async () => {
    expect(await where(insidesOf(inspector))).toEqual([]);
  });

  it('with one in its heap is found out, however long the string is that holds it', async () => {
    await tell('keep', secret);
    expect(await where(insidesOf(inspector))).toEqual(['heap snapshot']);
  });

  it('with one in its environment is found out by its diagnostic report', async () => {
    await tell('environment', secret);
    expect(await where(insidesOf(inspector))).toContain('diagnostic report');
  });
});

it('finds a secret in an error that the graph lets out, and none in one that it masks', async () => {
  const builder = createBuilder<object>();
  const failing = (error: () => Error) => ({
    nullable: true as const,
    resolve: (): string => {
      throw error();
    },
  });
  builder.queryType({
    fields: (t) => ({
      masked: t.string(failing(() => new Error(`upstream said ${secret}`))),
      open: t.string(failing(() => new GraphQLError(`upstream said ${secret}`))),
    }),
  });
  const lines = recorder('log');
  const handle = createGraphqlHandler({
    schema: builder.toSchema(),
    deps: {},
    authenticate: async () => anonymous,
    log: createLog({ name: 'test', destination: lines }),
  });
  const ask = async (query: string) => {
    const answer = await handle(
      new Request('http://x/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      }),
    );
    return valuesOf('graph answer', [await answer.json()]);
  };
  expect(await where(await ask('{ masked }'))).toEqual([]);
  expect(await where(lines)).toEqual(['log']);
  expect(await where(await ask('{ open }'))).toEqual(['graph answer 0']);
});
