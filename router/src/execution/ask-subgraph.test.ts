import { describe, expect, it } from 'vitest';
import { createServiceClient, type Send } from '@agentstore/kernel/http/client';
import { askSubgraph } from './ask-subgraph.ts';

const ask = (send: Send, options: { deadlineMs?: number; signal?: AbortSignal } = {}) =>
  askSubgraph(createServiceClient({ name: 'part', baseUrl: 'http://part.internal', send }), '/graphql', {
    headers: {},
    body: { query: '{ a }' },
    deadlineMs: options.deadlineMs ?? 60_000,
    signal: options.signal ?? new AbortController().signal,
  });
const never = new Promise<never>(() => undefined);
const answering = (body: string, status: number) => async () => new Response(body, { status });

describe('a subgraph in this process that listens to no signal', () => {
  it.each<[string, Send]>([
    ['does not answer', () => never],
    ['does not end its answer', async () => new Response(new ReadableStream({ pull: () => never }))],
  ])('%s: the deadline holds', async (_name, send) => {
    await expect(ask(send, { deadlineMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('is not waited for when the client has left', async () => {
    const left = new AbortController();
    const answer = ask(() => never, { signal: left.signal });
    left.abort();
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('an answer', () => {
  it.each<[string, string, number]>([
    ['that is HTML', '<html>', 200],
    ['of a proxy in between', '{}', 502],
    ['that is a problem, not GraphQL', '{"code":"NOT_FOUND"}', 404],
  ])('%s is none', async (_name, body, status) => {
    await expect(ask(answering(body, status))).rejects.toThrow(/part answered|not valid JSON/);
  });

  it('with errors is one, whatever its status', async () => {
    const errors = [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }];
    expect(await ask(answering(JSON.stringify({ errors }), 401))).toEqual({ errors });
  });
});
