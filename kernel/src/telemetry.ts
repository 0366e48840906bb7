import { ROOT_CONTEXT, SpanStatusCode, trace, type Histogram } from '@opentelemetry/api';
import { activeTrace, withTrace } from './http/trace.ts';
import type { Telemetry } from './telemetry-sdk.ts';

/** Facts about a span or a measurement; what is undefined is left out. Never arguments, results or secrets: they leave this machine. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

let running: Telemetry | undefined;

/**
 * Sends this process' spans and metrics to an OpenTelemetry collector (`otlpUrl`, OTLP over HTTP) until stopped. Without one nothing is recorded and nothing
 * leaves. It is ours alone: no library of this process is instrumented by it.
 */
export async function startTelemetry(options: {
  readonly service: string;
  readonly otlpUrl: string | undefined;
}): Promise<{ stop(): Promise<void> }> {
  if (options.otlpUrl === undefined) return { stop: async () => undefined };
  const { otlpTelemetry } = await import('./telemetry-otlp.ts');
  return recordWith(otlpTelemetry(options.service, options.otlpUrl));
}

/** Records with `telemetry` until stopped. */
export function recordWith(telemetry: Telemetry): { stop(): Promise<void> } {
  running = telemetry;
  return {
    stop: async () => {
      if (running === telemetry) running = undefined;
      await telemetry.stop();
    },
  };
}

/**
 * Does the work in a span: a child of the request's trace (http/trace.ts), and parent of whatever the work starts or asks of others. `set` adds what is
 * only known later. A failure is told by `error.type` (the error's code, else its name), never by its message. When nothing records, it is the work alone.
 */
export function withSpan<T>(
  name: string,
  attributes: Attributes,
  work: (set: (more: Attributes) => void) => Promise<T>,
): Promise<T> {
  if (!running) return work(ignore);
  const span = running.tracer.startSpan(name, { attributes }, contextOf(activeTrace()));
  const { traceId, spanId, traceFlags } = span.spanContext();
  return withTrace(`00-${traceId}-${spanId}-${hex(traceFlags)}`, async () => {
    try {
      return await work((more) => void span.setAttributes(more));
    } catch (error) {
      span.setAttribute('error.type', errorTypeOf(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

const ignore = (): void => undefined;
const hex = (flags: number): string => flags.toString(16).padStart(2, '0');

/** The context whose span a traceparent names. */
function contextOf(traceparent: string | undefined) {
  if (traceparent === undefined) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = traceparent.split('-') as [string, string, string, string];
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  });
}

function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Upper bounds for durations in seconds: those that the conventions of HTTP and MCP advise, from 1 ms on. */
const seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** A histogram to record values with; may be declared before telemetry starts. Durations are in seconds (`s`), sizes in bytes (`By`). */
export function histogram(
  name: string,
  unit: 's' | 'By',
  description: string,
): (value: number, attributes: Attributes) => void {
  let made: { readonly of: Telemetry; readonly instrument: Histogram } | undefined;
  return (value, attributes) => {
    if (!running) return;
    if (made?.of !== running) {
      const advice = unit === 's' ? { explicitBucketBoundaries: seconds } : {};
      made = { of: running, instrument: running.meter.createHistogram(name, { unit, description, advice }) };
    }
    made.instrument.record(value, attributes);
  };
}
