import type { Meter, Tracer } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader } from '@opentelemetry/sdk-metrics';
import { TracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace';

/** Where spans and measurements go. */
export interface Telemetry {
  readonly tracer: Tracer;
  readonly meter: Meter;
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** OpenTelemetry's SDK under the name of one service. It is never made the global one, which libraries would find and write to. */
export function sdkTelemetry(service: string, spans: SpanProcessor, metrics: MetricReader): Telemetry {
  const resource = resourceFromAttributes({ 'service.name': service, 'service.namespace': 'agentstore' });
  const tracers = new TracerProvider({ resource, spanProcessors: [spans] });
  const meters = new MeterProvider({ resource, readers: [metrics] });
  return {
    tracer: tracers.getTracer('agentstore'),
    meter: meters.getMeter('agentstore'),
    stop: async () => void (await Promise.allSettled([tracers.shutdown(), meters.shutdown()])),
  };
}
