import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../log.ts';
import { createServiceClient, ServiceError, UnavailableError, type ServiceClient } from './client.ts';
import { problemResponse } from './problem.ts';
import { bodyLimit, serve, type HttpServer } from './server.ts';
import { traced } from './service-app.ts';
import { activeTrace } from './trace.ts';

const open: HttpServer[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((server) => server.close(100)))));

async function service(
  fetch: (request: Request) => Promise<Response>,
  { maxBody, deadlineMs }: { maxBody?: number; deadlineMs?: number } = {},
) {
  const server = await serve({
    fetch,
    port: 0,
    log: silentLog,
    ...(maxBody ? { bodies: bodyLimit(maxBody) } : {}),
  });
  open.push(server);
  return createServiceClient({
    name: 'peer',
    baseUrl: server.origin,
    token: async () => 'svc',
    ...(deadlineMs ? { deadlineMs } : {}),
  });
}

/** A client of a server that answers each request so; both are gone with the test. */
async function peerThat(
  answers: (answer: http.ServerResponse) => void,
  deadlineMs = 60_000,
): Promise<ServiceClient> {
  const server = http.createServer((_request, answer) => answers(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return createServiceClient({ name: 'peer', baseUrl: `http://127.0.0.1:${port}`, deadlineMs });
}

it('sends JSON with its token and the trace of the request being served', async () => {
  const peer = await service(
    traced(async (request) =>
      Response.json({
        auth: request.headers.get('authorization'),
        body: await request.json(),
        trace: activeTrace(),
      }),
    ),
  );
  const outer = traced(async () => Response.json(await peer.call('POST', '/x', { amount: 5n })));
  const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
  const answer = await outer(new Request('http://here/', { headers: { traceparent } }));
  expect(await answer.json()).toEqual({ auth: 'Bearer svc', body: { amount: '5' }, trace: traceparent });
});

it('keeps the code and facts of a refusal', async () => {
  const peer = await service(async () =>
    problemResponse({ status: 402, code: 'INSUFFICIENT_CREDITS', title: 'no', missing: '7' }),
  );
  const error = await peer.call('POST', '/x', {}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ServiceError);
  expect(error).toMatchObject({ status: 402, code: 'INSUFFICIENT_CREDITS', facts: { missing: '7' } });
});

it('says UNAVAILABLE for a deadline, a refused connection and a 5xx, and retries only when asked', async () => {
  let asked = 0;
  const flaky = await service(async () =>
    ++asked < 3 ? new Response('', { status: 503 }) : Response.json('ok'),
  );
  await expect(flaky.call('GET', '/x')).rejects.toBeInstanceOf(UnavailableError);
  expect(await flaky.call('GET', '/x', undefined, { retries: 3 })).toBe('ok');
  const slow = await service(() => new Promise(() => undefined), { deadlineMs: 300 });
  await expect(slow.call('GET', '/x')).rejects.toThrow(/no answer in 300 ms/);
  const nobody = createServiceClient({ name: 'nobody', baseUrl: 'http://127.0.0.1:1' });
  await expect(nobody.call('GET', '/')).rejects.toBeInstanceOf(UnavailableError);
});

it.each<[string, (answer: http.ServerResponse) => void, RegExp, number?]>([
  [
    'stalls after its headers',
    (answer) => answer.writeHead(200).flushHeaders(),
    /no whole answer in 1000 ms/,
    1_000,
  ],
  [
    'stalls in the middle of its answer',
    (answer) => void answer.writeHead(200).write('{"half":'),
    /no whole answer in 1000 ms/,
    1_000,
  ],
  [
    'cuts an answer whose length it told',
    (answer) =>
      void answer.writeHead(200, { 'content-length': '100' }).write('{"a":1}', () => answer.destroy()),
    /cut/,
  ],
  [
    'cuts a refusal',
    (answer) => void answer.writeHead(409, { 'content-length': '100' }).write('{', () => answer.destroy()),
    /cut/,
  ],
  ['answers 200 with something else than JSON', (answer) => void answer.end('<html>'), /is not JSON/],
])(
  'says UNAVAILABLE when the peer %s, and tries again when asked',
  async (_name, misbehave, reason, deadlineMs = 60_000) => {
    let badAnswers = Infinity;
    const peer = await peerThat((answer) => {
      if (badAnswers-- > 0) misbehave(answer);
      else answer.end('"whole"');
    }, deadlineMs);
    const error = await peer.call('GET', '/x').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as Error).message).toMatch(reason);
    badAnswers = 1;
    expect(await peer.call('GET', '/x', undefined, { retries: 5 })).toBe('whole');
  },
);

it("throws the caller's own abort as it is while an answer is read", async () => {
  const stop = new AbortController();
  const peer = createServiceClient({
    name: 'peer',
    baseUrl: 'http://peer.internal',
    send: async () =>
      new Response(new ReadableStream({ pull: () => stop.abort(new Error('changed my mind')) })),
  });
  await expect(peer.call('GET', '/x', undefined, { signal: stop.signal })).rejects.toThrow(
    /^changed my mind$/,
  );
});

it('refuses a body over the limit before the handler sees it', async () => {
  let reached = false;
  const peer = await service(async () => ((reached = true), new Response()), { maxBody: 64 });
  await expect(peer.call('POST', '/x', { text: 'y'.repeat(100) })).rejects.toMatchObject({
    status: 413,
    code: 'BODY_TOO_LARGE',
  });
  expect(reached).toBe(false);
});

async function* ticks(): AsyncGenerator<Uint8Array> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield new TextEncoder().encode('tick\n');
  }
}

it('streams an answer as it comes and tells the handler when the reader goes away', async () => {
  const gone = Promise.withResolvers<void>();
  const peer = await service(async (request) => {
    request.signal.addEventListener('abort', () => gone.resolve());
    return new Response(Readable.toWeb(Readable.from(ticks())) as ReadableStream);
  });
  const stop = new AbortController();
  const answer = await peer.fetch('/stream', { signal: stop.signal });
  const reader = answer.body!.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toContain('tick');
  stop.abort();
  await gone.promise;
});

it.each(['in process', 'over HTTP'])(
  'ends a long answer %s when its signal does, though the request was collected meanwhile',
  async (how) => {
    let cancelled = false;
    const endless = async (): Promise<Response> =>
      new Response(
        new ReadableStream({
          start: (body) => body.enqueue(new TextEncoder().encode('first')),
          cancel: () => void (cancelled = true),
        }),
      );
    const peer =
      how === 'in process'
        ? createServiceClient({ name: 'peer', baseUrl: 'http://peer.internal', send: endless })
        : await service(endless);
    const stopping = new AbortController();
    const reader = (await peer.fetch('/x', { signal: stopping.signal })).body!.getReader();
    await reader.read();
    await collectGarbage();
    stopping.abort();
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => cancelled).toBe(true);
  },
);

async function collectGarbage(): Promise<void> {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('lets go of an answer whose bytes are already there', async () => {
  const peer = await peerThat((answer) => {
    answer.writeHead(503, { 'content-type': 'application/json' });
    answer.end(`"${'x'.repeat(2_000)}"`);
  });
  // What is thrown in a turn of its own would end the process.
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  process.on('uncaughtException', note);
  onTestFinished(() => void process.off('uncaughtException', note));
  for (let turn = 0; turn < 50; turn++) {
    const answer = await peer.fetch('/x');
    await answer.body!.cancel();
    await expect(peer.call('GET', '/x')).rejects.toThrow('answered 503');
  }
  expect(thrown).toEqual([]);
});
