import { trace } from '@opentelemetry/api';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createServiceClient } from './http/client.ts';
import { activeTrace, withTrace } from './http/trace.ts';
import { histogram, startTelemetry, withSpan } from './telemetry.ts';
import { freePort } from './testing/free-port.ts';
import { listen } from './testing/http.ts';
import { recordTelemetry } from './testing/telemetry.ts';

const [traceId, callerId] = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210'];
const traceparent = `00-${traceId}-${callerId}-01`;
class Refused extends Error {
  readonly code = 'TOOL_DENIED';
}

it("makes spans children of the request's trace, and parents of what they start and ask of others", async () => {
  const recorded = recordTelemetry();
  const asked: (string | null)[] = [];
  const client = createServiceClient({
    name: 'peer',
    baseUrl: 'http://peer.internal',
    send: async (request) => (asked.push(request.headers.get('traceparent')), Response.json({})),
  });
  const answer = await withTrace(traceparent, async () => {
    const inner = await withSpan(
      'outer',
      { 'gen_ai.tool.name': 'find_order', missing: undefined },
      async (set) => {
        set({ 'mcp.protocol.version': '2025-11-25' });
        await withSpan('inner', {}, () => client.call('GET', '/'));
        return 'answer';
      },
    );
    expect(activeTrace()).toBe(traceparent);
    return inner;
  });
  expect(answer).toBe('answer');
  const [inner, outer] = recorded.spans();
  expect(outer).toMatchObject({ name: 'outer', traceId, parentId: callerId, status: { code: 0 } });
  expect(outer!.attributes).toEqual({
    'gen_ai.tool.name': 'find_order',
    'mcp.protocol.version': '2025-11-25',
  });
  expect(inner).toMatchObject({ name: 'inner', traceId, parentId: outer!.spanId });
  expect(asked).toEqual([`00-${traceId}-${inner!.spanId}-01`]);
});

it('is a trace of its own outside a request, and records nothing of one that is not sampled', async () => {
  const recorded = recordTelemetry();
  await withSpan('alone', {}, async () => undefined);
  const unsampled = await withTrace(`00-${traceId}-${callerId}-00`, () =>
    withSpan('unsampled', {}, async () => activeTrace()),
  );
  expect(recorded.spans()).toMatchObject([{ name: 'alone', parentId: undefined }]);
  expect(unsampled).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
});

it.each<[string, unknown, string]>([
  ['code', new Refused('sk-secret'), 'TOOL_DENIED'],
  ['name', new TypeError('sk-secret'), 'TypeError'],
  ['absence, for what is no error', 'sk-secret', '_OTHER'],
])("tells a failure by its error's %s and nothing else", async (_by, thrown, type) => {
  const recorded = recordTelemetry();
  await expect(withSpan('fails', {}, () => Promise.reject(thrown as Error))).rejects.toBe(thrown);
  const [span] = recorded.spans();
  expect(span).toMatchObject({ attributes: { 'error.type': type }, status: { code: 2 } });
  expect(JSON.stringify(span)).not.toContain('sk-secret');
});

it('measures with a histogram that was declared before anything was recorded', async () => {
  const duration = histogram('mcp.server.operation.duration', 's', 'Of one call');
  duration(9, { outcome: 'before' });
  const recorded = recordTelemetry();
  duration(0.003, { outcome: 'ok' });
  duration(0.004, { outcome: 'ok' });
  expect(await recorded.histograms()).toMatchObject([
    {
      name: 'mcp.server.operation.duration',
      unit: 's',
      points: [
        {
          attributes: { outcome: 'ok' },
          value: {
            count: 2,
            min: 0.003,
            max: 0.004,
            buckets: { boundaries: expect.arrayContaining([0.001, 0.005]) as number[] },
          },
        },
      ],
    },
  ]);
});

it('is the work alone when nothing records: the very promise, in the very trace', async () => {
  const work = Promise.resolve('done');
  expect(withSpan('off', {}, () => work)).toBe(work);
  expect(await withTrace(traceparent, () => withSpan('off', {}, async () => activeTrace()))).toBe(
    traceparent,
  );
});

/** A collector that keeps what it is sent. */
async function collector() {
  const got = new Map<string, string>();
  const server = await listen(async (request) => {
    const { pathname } = new URL(request.url);
    got.set(pathname, (got.get(pathname) ?? '') + (await request.text()));
    return Response.json({});
  });
  return { got, url: server.origin };
}

it('sends spans and metrics to the collector, the rest of them at its stop, and none after it', async () => {
  const { got, url } = await collector();
  const size = histogram('answer.size', 'By', 'Of one answer');
  const telemetry = await startTelemetry({ service: 'tools', otlpUrl: url });
  await withTrace(traceparent, () => withSpan('tools/call find_order', {}, async () => size(10, {})));
  await telemetry.stop();
  expect(JSON.parse(got.get('/v1/traces')!)).toMatchObject({
    resourceSpans: [
      {
        resource: {
          attributes: expect.arrayContaining([
            { key: 'service.name', value: { stringValue: 'tools' } },
          ]) as object[],
        },
        scopeSpans: [{ spans: [{ name: 'tools/call find_order', traceId, parentSpanId: callerId }] }],
      },
    ],
  });
  expect(got.get('/v1/metrics')).toContain('answer.size');
  got.clear();
  const work = Promise.resolve();
  expect(withSpan('after', {}, () => work)).toBe(work);
  expect([...got]).toEqual([]);
});

it('gives libraries nothing to write to', async () => {
  const { got, url } = await collector();
  const telemetry = await startTelemetry({ service: 'tools', otlpUrl: url });
  trace.getTracer('some library').startSpan('of a library').end();
  await telemetry.stop();
  expect(got.get('/v1/traces')).toBeUndefined();
});

it('starts nothing without a collector, whatever the environment says', async () => {
  const { got, url } = await collector();
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url);
  onTestFinished(() => void vi.unstubAllEnvs());
  const telemetry = await startTelemetry({ service: 'tools', otlpUrl: undefined });
  const work = Promise.resolve();
  expect(withSpan('off', {}, () => work)).toBe(work);
  await telemetry.stop();
  expect([...got]).toEqual([]);
});

it('stops when its collector is away', async () => {
  const telemetry = await startTelemetry({
    service: 'tools',
    otlpUrl: `http://127.0.0.1:${await freePort()}`,
  });
  await withSpan('lost', {}, async () => undefined);
  await expect(telemetry.stop()).resolves.toBeUndefined();
});
