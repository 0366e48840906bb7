import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { startRagflow, type Ragflow } from './ragflow.ts';

const parseMs = 1_000;
let now = 0;
let ragflow: Ragflow;
let dataset: string;

beforeAll(async () => {
  ragflow = await startRagflow({ port: 0, apiKey: 'the-key', parseMs, log: silentLog, now: () => now });
});
afterAll(() => ragflow.stop());
beforeEach(async () => {
  ragflow.misbehave({});
  dataset = dataOf<{ id: string }>(await call('POST', '/datasets', { name: 'shop' })).id;
});

interface Envelope {
  readonly code: number;
  readonly message?: string;
  readonly data?: unknown;
}
const dataOf = <T>(envelope: Envelope): T => envelope.data as T;

async function call(method: string, path: string, body?: object | FormData): Promise<Envelope> {
  const answer = await fetch(`${ragflow.url}/api/v1${path}`, {
    method,
    headers: { authorization: 'Bearer the-key' },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Envelope;
}

async function upload(name: string, text: string): Promise<string> {
  const form = new FormData();
  form.append('file', new File([text], name));
  return dataOf<{ id: string }[]>(await call('POST', `/datasets/${dataset}/documents`, form))[0]!.id;
}
const parse = (id: string) => call('POST', `/datasets/${dataset}/chunks`, { document_ids: [id] });
const stop = (id: string) => call('DELETE', `/datasets/${dataset}/chunks`, { document_ids: [id] });
const look = async (id: string) =>
  dataOf<{ docs: object[] }>(await call('GET', `/datasets/${dataset}/documents?id=${id}`)).docs[0];
const retrieve = (question: string, more: object = {}) =>
  call('POST', '/retrieval', { question, dataset_ids: [dataset], ...more });

test('lets nobody in without the key, and says so in the body', async () => {
  const answer = await fetch(`${ragflow.url}/api/v1/datasets`);
  expect([answer.status, await answer.json()]).toMatchObject([200, { code: 109 }]);
});

test('gives a number to a name that is taken', async () => {
  const [first, second] = [await upload('shop.md', 'a'), await upload('shop.md', 'b')];
  expect([await look(first), await look(second)]).toMatchObject([
    { name: 'shop.md' },
    { name: 'shop(1).md' },
  ]);
  expect(dataOf(await call('POST', '/datasets', { name: 'SHOP' }))).toMatchObject({
    name: expect.stringMatching(/^SHOP\(\d+\)$/) as string,
  });
});

test('parses as long as the clock says, and not twice at once', async () => {
  const id = await upload('shop.md', '# Customs\n\nThe buyer pays.\n\n# Returns\n\nWithin a month.');
  expect(await look(id)).toMatchObject({ run: 'UNSTART', chunk_count: 0 });
  await parse(id);
  expect(await parse(id)).toMatchObject({ code: 102 });
  now += parseMs / 2;
  expect(await look(id)).toMatchObject({ run: 'RUNNING', progress: 0.45 });
  now += parseMs;
  expect(await look(id)).toMatchObject({ run: 'DONE', progress: 1, chunk_count: 2 });
  expect(await stop(id)).toMatchObject({ code: 102 });
});

test('stops what runs', async () => {
  const id = await upload('shop.md', 'Customs');
  await parse(id);
  expect(await stop(id)).toEqual({ code: 0 });
  now += 2 * parseMs;
  expect(await look(id)).toMatchObject({ run: 'CANCEL', chunk_count: 0 });
});

test('finds by the share of words, and fails as a whole for what is foreign', async () => {
  const id = await upload('shop.md', 'The buyer pays the customs duty.');
  await parse(id);
  now += 2 * parseMs;
  await look(id);
  expect(dataOf(await retrieve('customs duty abroad'))).toMatchObject({
    total: 1,
    chunks: [{ document_id: id, similarity: 2 / 3, positions: [[1, 0, 0, 0, 0]] }],
    doc_aggs: [{ doc_id: id, count: 1 }],
  });
  expect(await retrieve('customs', { dataset_ids: [dataset, 'foreign'] })).toMatchObject({ code: 102 });
  expect(await retrieve('customs', { document_ids: [id, 'foreign'] })).toMatchObject({ code: 102 });
  expect(dataOf(await retrieve(' '))).toEqual({ total: 0, chunks: [], doc_aggs: {} });
});

test('refuses what asks a model, what fetches an address, and what it does not know', async () => {
  expect(await retrieve('customs', { keyword: true })).toMatchObject({ code: 101 });
  const form = new FormData();
  expect(await call('POST', `/datasets/${dataset}/documents?type=web`, form)).toMatchObject({ code: 101 });
  expect(await call('GET', `/datasets/${dataset}/documents/x/chunks`)).toMatchObject({ code: 404 });
});

test('deletes nothing without ids, and refuses ids that are not there', async () => {
  const id = await upload('shop.md', 'Customs');
  const at = `/datasets/${dataset}/documents`;
  await call('DELETE', at, { ids: [] });
  expect(await look(id)).toMatchObject({ id });
  expect(await call('DELETE', at, { ids: [id, 'none'] })).toMatchObject({ code: 102 });
  expect(await call('DELETE', at, { ids: [id] })).toMatchObject({ code: 0 });
  await call('DELETE', '/datasets', { ids: [dataset] });
  expect(await call('GET', `/datasets?id=${dataset}`)).toMatchObject({ code: 102 });
});

test('takes each fault of a parse once', async () => {
  ragflow.misbehave({ parses: ['STUCK', 'FAIL_THEN_DONE'] });
  const id = await upload('shop.md', 'Customs');
  await parse(id);
  now += 10 * parseMs;
  expect(await look(id)).toMatchObject({ run: 'RUNNING' });
  await stop(id);
  await parse(id);
  now += 2 * parseMs;
  expect(await look(id)).toMatchObject({ run: 'FAIL', progress: -1 });
  expect(await look(id)).toMatchObject({ run: 'DONE' });
});
