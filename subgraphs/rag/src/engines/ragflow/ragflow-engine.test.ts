import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { uuidv7 } from '@agentstore/kernel/ids';
import { createLog, silentLog } from '@agentstore/kernel/log';
import { UnavailableError } from '@agentstore/kernel/service-client';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { startRagflow, type Ragflow } from '../../../../../infra/dev/ragflow/ragflow.ts';
import { describeEngine } from '../conformance.ts';
import type { Base, Ingest, KnowledgeEngine } from '../engine.ts';
import { openRagflow } from './open-ragflow.ts';
import { createRagflowCalls } from './ragflow.http.ts';
import { createRagflowClient, type RagflowClient } from './ragflow-client.ts';
import { createRagflowEngine } from './ragflow-engine.ts';
import { ragflowSettings } from './ragflow-settings.ts';

const apiKey = 'ragflow-k3y-of-the-tests';
const text = '# Customs\n\nThe buyer pays the customs duty to the carrier.\n';

let ragflow: Ragflow;
let logged = '';
const log = createLog({ name: 'test', destination: { write: (line: string) => void (logged += line) } });

async function open(
  parseMs: number,
  wrap: (client: RagflowClient) => Partial<RagflowClient> = () => ({}),
  answerMs = 30_000,
) {
  const { database } = await openTestDatabase('rag');
  const calls = createRagflowCalls({
    url: ragflow.url,
    apiKey,
    deadlineMs: answerMs,
    mostAnswerBytes: 100_000,
  });
  const client = createRagflowClient(calls, { uploadMs: 30_000, candidates: 100 });
  afterAll(() => client.close());
  const bounds = { pollMs: 5, mostPollMs: 20, parseMs, fileBytes: 10_000 };
  return {
    client,
    engine: createRagflowEngine({ database, client: { ...client, ...wrap(client) }, bounds, log }),
  };
}

beforeAll(async () => {
  ragflow = await startRagflow({ port: 0, apiKey, parseMs: 15, log: silentLog });
  return () => ragflow.stop();
});

const settingsOf = (more: object) =>
  z.object(ragflowSettings).parse({ RAGFLOW_POLL_MS: 10, RAGFLOW_MOST_POLL_MS: 20, ...more });

describeEngine('Ragflow', async () => {
  const { database } = await openTestDatabase('rag');
  const settings = settingsOf({ RAGFLOW_URL: ragflow.url, RAGFLOW_API_KEY: apiKey });
  const opened = openRagflow(settings, { database, fileBytes: 10_000, log })!;
  afterAll(() => opened.close());
  return opened.engine;
});

test('without an address there is no Ragflow, and with one it needs a key', async () => {
  const { database } = await openTestDatabase('rag');
  const deps = { database, fileBytes: 10_000, log };
  expect(openRagflow(settingsOf({}), deps)).toBeUndefined();
  expect(() => openRagflow(settingsOf({ RAGFLOW_URL: ragflow.url }), deps)).toThrow('RAGFLOW_API_KEY');
});

describe('a document at Ragflow', () => {
  let engine: KnowledgeEngine;
  let client: RagflowClient;
  let base: Base;
  beforeAll(async () => {
    ({ engine, client } = await open(60_000));
  });
  beforeEach(async () => {
    ragflow.misbehave({});
    ragflow.requests.length = 0;
    base = await newBase(engine);
  });

  const ingest = (more: Partial<Ingest> = {}, by: KnowledgeEngine = engine) =>
    by.ingest({
      ...base,
      documentId: uuidv7(),
      name: 'customs.md',
      contentType: 'text/markdown',
      bytes: async () => pieces(text),
      signal: new AbortController().signal,
      onProgress: () => undefined,
      ...more,
    });
  const search = (by: KnowledgeEngine = engine) => by.search({ ...base, query: 'customs duty', limit: 5 });
  const left = async (): Promise<string[]> =>
    client.documentsNamed((await client.findDataset({ name: base.knowledgeBaseId }))!, '');
  const asked = (call: RegExp): number => ragflow.requests.filter((one) => call.test(one)).length;

  test('that is stuck is stopped, parsed once more, and found then', async () => {
    ragflow.misbehave({ parses: ['STUCK'] });
    const { engine: hasty } = await open(3_000);
    base = await newBase(hasty);
    const said: number[] = [];
    const outcome = await ingest({ onProgress: (progress) => said.push(progress) }, hasty);
    expect(outcome).toEqual({ ok: true, value: { chunks: 1 } });
    expect([asked(/^POST .*chunks/), asked(/^DELETE .*chunks/)]).toEqual([2, 1]);
    expect(said).toEqual(said.toSorted((a, b) => a - b));
    expect(await search(hasty)).toHaveLength(1);
  });

  test('that is stuck twice is given up, stopped and removed', async () => {
    ragflow.misbehave({ parses: ['STUCK', 'STUCK'] });
    const { engine: hasty } = await open(60);
    base = await newBase(hasty);
    expect(await ingest({}, hasty)).toMatchObject({ ok: false, error: { code: 'ENGINE_STUCK' } });
    expect([asked(/^POST .*chunks/), asked(/^DELETE .*chunks/)]).toEqual([2, 2]);
    expect(await left()).toEqual([]);
  });

  test.each([['FAIL_THEN_DONE'], ['NEGATIVE_PROGRESS']] as const)(
    'that seems to have failed (%s) and then has not is found',
    async (fault) => {
      ragflow.misbehave({ parses: [fault] });
      const said: number[] = [];
      expect(await ingest({ onProgress: (progress) => said.push(progress) })).toMatchObject({ ok: true });
      expect(said.every((progress) => progress >= 0)).toBe(true);
      expect(await search()).toHaveLength(1);
    },
  );

  test('that fails for good says why, and what was there before answers', async () => {
    const documentId = uuidv7();
    expect(await ingest({ documentId })).toMatchObject({ ok: true });
    ragflow.misbehave({ parses: ['FAIL'] });
    expect(await ingest({ documentId })).toEqual({
      ok: false,
      error: {
        code: 'ENGINE_FAILED',
        message: 'Ragflow could not read the document: The embedding model refuses the text.',
      },
    });
    expect(await left()).toHaveLength(1);
    expect(await search()).toHaveLength(1);
  });

  test('in which nothing was found says so', async () => {
    ragflow.misbehave({ parses: ['NO_CHUNKS'] });
    expect(await ingest()).toMatchObject({ ok: false, error: { code: 'NO_TEXT' } });
  });

  test('that was not taken although the upload is a success is none', async () => {
    ragflow.misbehave({ partialUpload: 'customs.md: the storage is full' });
    expect(await ingest()).toMatchObject({ ok: false, error: { code: 'ENGINE_FAILED' } });
  });

  test('of a kind that Ragflow does not take says so', async () => {
    expect(await ingest({ name: 'song.mp3', contentType: 'audio/mpeg' })).toMatchObject({
      ok: false,
      error: { code: 'TYPE_UNSUPPORTED' },
    });
  });

  test('that is too large is not sent to its end', async () => {
    async function* endless(): AsyncIterable<Uint8Array> {
      for (;;) yield Buffer.alloc(1_000, 'x');
    }
    expect(await ingest({ bytes: async () => endless() })).toMatchObject({
      ok: false,
      error: { code: 'FILE_TOO_LARGE' },
    });
    expect(await left()).toEqual([]);
  });

  test('whose bytes cannot be read ends with the fault of the reader', async () => {
    const fault = new Error('the object is gone');
    async function* broken(): AsyncIterable<Uint8Array> {
      yield Buffer.from('# Cust');
      throw fault;
    }
    await expect(ingest({ bytes: async () => broken() })).rejects.toBe(fault);
  });

  test('is waited for while Ragflow is away', async () => {
    ragflow.misbehave({ calls: [{ calls: /^GET .*documents/, answer: { status: 503 } }] });
    const outcome = ingest();
    await expect.poll(() => asked(/^GET .*documents/)).toBeGreaterThan(2);
    ragflow.misbehave({});
    expect(await outcome).toMatchObject({ ok: true });
  });

  test('that nobody wants any more is removed in the middle of its parse', async () => {
    ragflow.misbehave({ parses: ['STUCK'] });
    const abort = new AbortController();
    const reason = new Error('deleted');
    const attempt = ingest({ signal: abort.signal });
    attempt.catch(() => undefined);
    await expect.poll(() => asked(/^GET .*documents/)).toBeGreaterThan(0);
    abort.abort(reason);
    await expect(attempt).rejects.toBe(reason);
    expect(await left()).toEqual([]);
  });

  test('that is parsed already is not parsed a second time', async () => {
    ragflow.misbehave({ parses: ['STUCK'] });
    const dataset = (await client.findDataset({ name: base.knowledgeBaseId }))!;
    const { signal } = new AbortController();
    const id = await client.upload(dataset, { name: 'a.md', bytes: pieces(text) }, signal);
    await client.startParse({ dataset, id }, signal);
    await client.startParse({ dataset, id }, signal);
    expect(await client.look({ dataset, id }, signal)).toMatchObject({ state: 'RUNNING' });
    await client.stopParse({ dataset, id });
    await client.stopParse({ dataset, id });
    expect(await client.look({ dataset, id }, signal)).toMatchObject({ state: 'CANCEL' });
  });

  test('that somebody removed at Ragflow does not keep the others from being found', async () => {
    await ingest();
    const [gone] = await left();
    await ingest();
    const dataset = (await client.findDataset({ name: base.knowledgeBaseId }))!;
    await client.deleteDocuments(dataset, [gone!]);
    expect(await search()).toHaveLength(1);
    await client.deleteDocuments(dataset, await left());
    expect(await search()).toEqual([]);
  });

  test('has pages when its format has some, and passages of nobody are not cited', async () => {
    const { engine: wrapped } = await open(20_000, (real) => ({
      upload: (dataset, file, signal) =>
        real.upload(dataset, { ...file, name: file.name.replace('.pdf', '.md') }, signal),
      retrieve: async (retrieval) => {
        const chunks = await real.retrieve(retrieval);
        return [{ ...chunks[0]!, document: 'f'.repeat(32), similarity: 1 }, ...chunks];
      },
    }));
    base = await newBase(wrapped);
    await ingest({ name: 'customs.pdf', contentType: 'application/pdf' }, wrapped);
    expect(await search(wrapped)).toEqual([
      expect.objectContaining({ documentName: 'customs.pdf', page: 1 }) as object,
    ]);
  });
});

describe('a base at Ragflow', () => {
  let engine: KnowledgeEngine;
  let client: RagflowClient;
  const tenancy = { organizationId: uuidv7(), projectId: uuidv7() };
  beforeAll(async () => {
    ({ engine, client } = await open(60_000));
  });
  beforeEach(() => {
    ragflow.misbehave({});
    ragflow.requests.length = 0;
  });
  const made = (base: Base) => ({ ...base, name: 'Shop', language: null });
  const datasetOf = ({ knowledgeBaseId }: Base) => client.findDataset({ name: knowledgeBaseId });

  test('that was made before somebody died is the same one', async () => {
    const base = { ...tenancy, knowledgeBaseId: uuidv7() };
    const before = await client.createDataset(base.knowledgeBaseId, 'Shop');
    await engine.createBase(made(base));
    expect(await datasetOf(base)).toBe(before);
    expect(await client.findDataset({ name: `${base.knowledgeBaseId}(1)` })).toBeUndefined();
  });

  test('is one, also when two find none and both make it', async () => {
    const base = { ...tenancy, knowledgeBaseId: uuidv7() };
    let arrived = 0;
    const both = Promise.withResolvers<void>();
    const { engine: racing } = await open(20_000, (real) => ({
      async createDataset(name, description) {
        if (++arrived === 2) both.resolve();
        await both.promise;
        return real.createDataset(name, description);
      },
    }));
    await Promise.all([racing.createBase(made(base)), racing.createBase(made(base))]);
    const names = [base.knowledgeBaseId, `${base.knowledgeBaseId}(1)`];
    const left = await Promise.all(names.map((name) => client.findDataset({ name })));
    expect(left.filter((id) => id !== undefined)).toHaveLength(1);
  });

  test('whose deletion did not come through is deleted by the next', async () => {
    const base = await newBase(engine);
    ragflow.misbehave({
      calls: [{ calls: /^DELETE .*datasets$/, answer: { code: 102, message: '1 failed' } }],
    });
    await expect(engine.deleteBase(base)).rejects.toBeInstanceOf(UnavailableError);
    ragflow.misbehave({});
    await engine.deleteBase(base);
    expect(await datasetOf(base)).toBeUndefined();
  });

  test('that somebody removed at Ragflow takes nothing in and can be deleted', async () => {
    const base = await newBase(engine);
    await client.deleteDataset((await datasetOf(base))!);
    const document = { ...base, documentId: uuidv7() };
    const attempt = engine.ingest({
      ...document,
      name: 'customs.md',
      contentType: 'text/markdown',
      bytes: async () => pieces(text),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    expect(await attempt).toMatchObject({ ok: false, error: { code: 'BASE_NOT_FOUND' } });
    await engine.deleteDocument(document);
    await engine.deleteBase(base);
  });
});

describe('Ragflow’s answers', () => {
  const { signal } = new AbortController();
  const retrieval = { dataset: 'd', documents: ['x'], question: 'customs', limit: 5 };
  let client: RagflowClient;
  let engine: KnowledgeEngine;
  beforeAll(async () => {
    ({ client, engine } = await open(60_000));
  });
  beforeEach(() => ragflow.misbehave({}));

  test.each([
    [
      'a refusal at status 200',
      { code: 105, message: 'the index is away' },
      'it refuses (105): the index is away',
    ],
    ['a page of a proxy', { status: 502 }, 'POST /retrieval answered 502'],
    ['more than is read', { bytes: 200_000 }, 'POST /retrieval: UND_ERR_RES_EXCEEDED_MAX_SIZE'],
  ] as const)('%s is an engine that is away', async (_what, answer, words) => {
    ragflow.misbehave({ calls: [{ calls: /retrieval/, answer }] });
    const refused = client.retrieve(retrieval);
    await expect(refused).rejects.toBeInstanceOf(UnavailableError);
    await expect(refused).rejects.toThrow(`ragflow is unavailable: ${words}`);
  });

  test('no answer is an engine that is away', async () => {
    const { client: hasty } = await open(60_000, undefined, 300);
    ragflow.misbehave({ calls: [{ calls: /retrieval/, answer: 'NONE' }] });
    await expect(hasty.retrieve(retrieval)).rejects.toThrow(
      new UnavailableError('ragflow', 'POST /retrieval: no answer in time'),
    );
  });

  test('of a dataset that is not ours are refused as a whole', async () => {
    await expect(client.retrieve(retrieval)).rejects.toMatchObject({
      code: 102,
      words: "You don't own the dataset d.",
    });
  });

  test('to an empty question are none', async () => {
    const dataset = await client.createDataset(uuidv7(), 'Shop');
    const id = await client.upload(dataset, { name: 'a.md', bytes: pieces(text) }, signal);
    expect(await client.retrieve({ ...retrieval, dataset, documents: [id], question: ' ' })).toEqual([]);
  });

  test('are listed to their end', async () => {
    const dataset = await client.createDataset(uuidv7(), 'Shop');
    for (let count = 0; count < 101; count++)
      await client.upload(dataset, { name: 'a.md', bytes: pieces('a') }, signal);
    expect(new Set(await client.documentsNamed(dataset, '')).size).toBe(101);
  });

  test('say whether it is healthy', async () => {
    expect(await engine.ready()).toBe(true);
    ragflow.misbehave({ calls: [{ calls: /healthz/, answer: { status: 500 } }] });
    expect(await engine.ready()).toBe(false);
  });

  test('never bring the key into an error or a log', async () => {
    const base = await newBase(engine);
    const answer = { code: 109, message: `the key ${apiKey} is invalid` };
    ragflow.misbehave({ calls: [{ calls: /documents/, answer }] });
    const refused = engine.ingest({
      ...base,
      documentId: uuidv7(),
      name: 'customs.md',
      contentType: 'text/markdown',
      bytes: async () => pieces(text),
      signal,
      onProgress: () => undefined,
    });
    await expect(refused).rejects.toThrow('it refuses (109): the key [redacted] is invalid');
    expect(logged).toContain('an attempt left documents at Ragflow');
    expect(logged).not.toContain(apiKey);
  });
});

async function newBase(engine: KnowledgeEngine): Promise<Base> {
  const base = { organizationId: uuidv7(), projectId: uuidv7(), knowledgeBaseId: uuidv7() };
  await engine.createBase({ ...base, name: 'Shop', language: null });
  return base;
}

async function* pieces(content: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(content);
}
