import { describe, expect, it } from 'vitest';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { answerJson } from '../../testing/counting-upstream.ts';
import { openGateway } from '../../testing/tool-gateway.ts';
import { createRagUpstream } from './rag-upstream.ts';

const passage = (chunkId: string, page: number | null = 2) => ({
  documentId: 'RG9jdW1lbnQ6MQ',
  documentName: 'manual.pdf',
  chunkId,
  text: `text of ${chunkId}`,
  score: 0.7,
  page,
});

type Answer = (signal: AbortSignal) => Response | Promise<Response>;
const never: Answer = (signal) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

/** A gateway that serves a tool of kind RAG, a knowledge subgraph that notes what it is asked, and a run's owner that notes what it is told. */
async function opened(answer: Answer, more: object = {}) {
  const asked: unknown[] = [];
  const told: Record<string, unknown>[] = [];
  const knowledge = createServiceClient({
    name: 'rag',
    baseUrl: 'http://rag',
    async send(request) {
      asked.push([new URL(request.url).pathname, await request.json()]);
      return answer(request.signal);
    },
  });
  const gateway = await openGateway(
    {},
    {
      upstreams: { RAG: createRagUpstream(knowledge) },
      ownerAt: () =>
        createServiceClient({
          name: 'runner',
          baseUrl: 'http://runner.test',
          async send(request) {
            told.push((await request.json()) as Record<string, unknown>);
            return Response.json({});
          },
        }),
    },
  );
  const definition = gateway.register({
    kind: 'RAG',
    slug: 'knowledge',
    name: 'Knowledge bases',
    path: '/',
    auth: { type: 'NONE' },
    tools: [
      {
        name: 'search',
        title: 'Search',
        description: 'Searches.',
        inputSchema: { type: 'object', properties: { query: {}, limit: {} } },
        risk: 'READ',
      },
    ],
    timeoutMs: 60_000,
    maxResponseBytes: 1_048_576,
    ...more,
  });
  const rule = { action: 'Allow', tool: 'knowledge__search', name: 'search', definition };
  gateway.apply([rule]);
  const search = (input: object) =>
    gateway.invoke(
      'knowledge__search',
      { arguments: input },
      {},
      { tools: ['knowledge__search'], bindings: [] },
    );
  return { gateway, asked, told, search, rule };
}

describe('a search in knowledge bases', () => {
  it("asks for the project of the run's token, and answers a block for each passage", async () => {
    const { gateway, asked, told, search } = await opened(() =>
      Response.json({ citations: [passage('a'), { ...passage('b', null), text: 'x'.repeat(5_000) }] }),
    );
    const answer = await search({ query: ' descale? ', limit: 2 });
    const { organizationId, projectId } = gateway.grant;
    expect(asked).toEqual([
      ['/internal/knowledge:search', { organizationId, projectId, query: 'descale?', limit: 2 }],
    ]);
    const cut = { ...passage('b', null), text: 'x'.repeat(4_000) };
    expect(answer).toMatchObject({
      status: 200,
      body: {
        result: {
          content: [
            { type: 'text', text: '{"passage":"[1] manual.pdf, page 2: text of a"}' },
            { type: 'text', text: JSON.stringify({ passage: `[2] manual.pdf: ${cut.text}` }) },
          ],
          structuredContent: { citations: [passage('a'), cut] },
        },
      },
    });
    expect(told.at(-1)).toMatchObject({ isError: false, citations: [passage('a'), cut] });
    expect(gateway.completions.at(-1)).toMatchObject({
      outcome: 'OK',
      secretVersion: null,
      upstreamStatus: 200,
      destination: { origin: 'agentstore:knowledge', address: null },
    });
  });

  it('says in words that nothing was found', async () => {
    const { search, told } = await opened(() => Response.json({ citations: [] }));
    expect((await search({ query: 'x' })).body['result']).toMatchObject({
      content: [{ text: expect.stringContaining('Nothing was found') as string }],
    });
    expect(told.at(-1)).toMatchObject({ citations: [] });
  });

  it.each([[{}], [{ query: ' ' }], [{ query: 'x'.repeat(1_001) }], [{ query: 'x', limit: 21 }]])(
    'is not made with arguments that are none: %.40j',
    async (input) => {
      const { search, asked } = await opened(() => Response.json({ citations: [] }));
      expect(await search(input)).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENTS' } });
      expect(asked).toEqual([]);
    },
  );

  it.each<[string, number, Answer, object]>([
    ['UPSTREAM_INVALID', 502, () => Response.json({ citations: [{ ...passage('a'), page: 0 }] }), {}],
    ['UPSTREAM_INVALID', 502, () => problemResponse({ status: 400, code: 'BAD_REQUEST', title: 'no' }), {}],
    ['UPSTREAM_UNAVAILABLE', 502, () => new Response('', { status: 503 }), {}],
    ['UPSTREAM_TIMEOUT', 504, never, { timeoutMs: 100 }],
  ])('ends in %s', async (code, status, answer, more) => {
    const { search, told } = await opened(answer, more);
    expect(await search({ query: 'x' })).toMatchObject({ status, body: { code } });
    expect(told.at(-1)).toMatchObject({ content: code, isError: true, citations: [] });
  });

  it('is what a RAG connector does, and no other kind is taken for one: what others answer is not cited', async () => {
    const { gateway, rule, told, search } = await opened(() => Response.json({ citations: [passage('a')] }), {
      origin: 'http://127.0.0.1:1',
    });
    expect(await search({ query: 'x' })).toMatchObject({ body: { code: 'CONNECTOR_KIND_NOT_SERVED' } });
    gateway.upstream.answer(answerJson({ citations: [passage('forged')] }));
    gateway.apply([rule, gateway.ruleOf('find_order', gateway.orders)]);
    const found = await gateway.invoke('orders__find_order', { arguments: { number: 'A-1' } });
    expect(found.body['result']).toMatchObject({ structuredContent: { citations: [passage('forged')] } });
    expect(told.at(-1)).toMatchObject({ isError: false, citations: [] });
  });
});
