import { describe, expect, test } from 'vitest';
import { createServiceClient, UnavailableError } from '@agentstore/kernel/http/client';
import { openAiEmbedder } from './openai-embedder.ts';

const never = new AbortController().signal;

/** An endpoint whose vectors say which text they are of; it answers them in another order. */
function endpoint(answer?: (input: string[]) => unknown) {
  const asked: { body: { input: string[] }; key: string | null; path: string }[] = [];
  const client = createServiceClient({
    name: 'embeddings',
    baseUrl: 'https://models.example.test',
    token: () => Promise.resolve('sk-test'),
    send: async (request) => {
      const body = (await request.json()) as { input: string[] };
      asked.push({ body, key: request.headers.get('authorization'), path: new URL(request.url).pathname });
      const made = {
        data: body.input.map((text, index) => ({ index, embedding: [text.length, 0] })).reverse(),
      };
      const given = answer ? answer(body.input) : made;
      return given instanceof Response ? given : Response.json(given);
    },
  });
  const embedder = openAiEmbedder({
    client,
    path: '/base/v1/embeddings',
    model: 'small',
    dimensions: 2,
    batch: 2,
  });
  return { embedder, asked };
}

describe('the embedder of an OpenAI endpoint', () => {
  test('asks in batches, with its key, and answers in the order of the texts with vectors of length 1', async () => {
    const { embedder, asked } = endpoint();
    const vectors = await embedder.embed(['a', 'bb', 'ccc'], never);
    expect(vectors.map((vector) => [...vector])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(asked.map(({ body }) => body)).toEqual([
      { model: 'small', input: ['a', 'bb'], encoding_format: 'float' },
      { model: 'small', input: ['ccc'], encoding_format: 'float' },
    ]);
    expect(asked[0]).toMatchObject({ key: 'Bearer sk-test', path: '/base/v1/embeddings' });
  });

  test.each([
    ['of other dimensions', () => ({ data: [{ index: 0, embedding: [1, 2, 3] }] })],
    ['too few', () => ({ data: [] })],
    ['of another shape', () => ({ vectors: [] })],
    ['refused', () => new Response('{}', { status: 401 })],
  ])('takes vectors that are %s for an outage', async (_, answer) => {
    await expect(endpoint(answer).embedder.embed(['a'], never)).rejects.toThrow(UnavailableError);
  });

  test('ends with the signal', async () => {
    const abort = new AbortController();
    abort.abort(new Error('deleted'));
    await expect(endpoint().embedder.embed(['a'], abort.signal)).rejects.toThrow('deleted');
  });
});
