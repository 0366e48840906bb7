import { beforeAll, expect, it } from 'vitest';
import { createKnowledge } from '../testing/knowledge.ts';
import { openRouter, type TestRouter } from '../testing/open-router.ts';

const knowledge = createKnowledge();
let router: TestRouter;
let token: string;
beforeAll(async () => {
  router = await openRouter({ more: { rag: knowledge } });
  token = await router.issuer.token();
});
const post = async (path: string, body: object, authorization = `Bearer ${token}`) => {
  const answer = await fetch(`${router.origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const file = { name: 'a.md', contentType: 'text/markdown', sizeBytes: 5, sha256: 'f'.repeat(64) };

it('announces a file and says how to upload it', async () => {
  expect(await post('/v1/kb/kb1/uploads:init', file)).toEqual({
    status: 201,
    body: {
      document: { id: 'd1', state: 'AWAITING_UPLOAD' },
      upload: {
        method: 'PUT',
        url: 'https://s3.test/key',
        headers: { 'content-type': 'text/markdown' },
        expiresAt: 'soon',
      },
    },
  });
  expect(knowledge.asked.at(-1)).toEqual({ ...file, knowledgeBaseId: 'kb1' });
});

it.each([
  ['QUOTA_EXCEEDED', 409, { what: 'BYTES', limit: '10', used: '9' }],
  ['NOT_ENTITLED', 403, {}],
  ['FILE_TOO_LARGE', 413, {}],
  ['KNOWLEDGE_BASE_NOT_FOUND', 404, {}],
  ['INVALID_INPUT', 400, {}],
])('says %s as a problem', async (code, status, facts) => {
  expect(await post('/v1/kb/kb1/uploads:init', { ...file, name: `refuse ${code}` })).toMatchObject({
    status,
    body: { code, status, ...facts },
  });
});

it('has a document of that base ingested', async () => {
  expect(await post('/v1/kb/kb1:ingest', { documentId: 'd1' })).toMatchObject({
    status: 202,
    body: { id: 'd1', state: 'UPLOADED', attempt: 1 },
  });
  expect(knowledge.asked.at(-1)).toEqual({ knowledgeBaseId: 'kb1', documentId: 'd1' });
  expect(await post('/v1/kb/kb1:ingest', { documentId: 'other' })).toMatchObject({
    status: 404,
    body: { code: 'DOCUMENT_NOT_FOUND' },
  });
});

it('wants whole bodies, known verbs and a caller', async () => {
  for (const [path, body] of [
    ['/v1/kb/kb1/uploads:init', { ...file, sizeBytes: '5' }],
    ['/v1/kb/kb1/uploads:init', { ...file, sizeBytes: 3e9 }],
    ['/v1/kb/kb1:ingest', {}],
  ] as const)
    expect(await post(path, body)).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
  expect(await post('/v1/kb/kb1:forget', {})).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  for (const path of ['/v1/kb/kb1/uploads:init', '/v1/kb/kb1:ingest'])
    expect(await post(path, file, '')).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
});
