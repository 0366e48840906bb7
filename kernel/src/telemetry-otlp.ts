import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { sdkTelemetry, type Telemetry } from './telemetry-sdk.ts';

/** Deadline of one export. A collector that is away costs what was recorded meanwhile (the queue of spans is bounded), never a request. */
const deadlineMs = 5_000;
const metricsEveryMs = 30_000;

/** Spans every 5 s, metrics every 30 s, as JSON over HTTP to `{url}/v1/traces` and `{url}/v1/metrics`. */
export function otlpTelemetry(service: string, url: string): Telemetry {
  const at = (signal: string) => ({
    url: `${url.replace(/\/$/, '')}/v1/${signal}`,
    timeoutMillis: deadlineMs,
  });
  return sdkTelemetry(
    service,
    new BatchSpanProcessor({
      exporter: new OTLPTraceExporter(at('traces')),
      exportTimeoutMillis: deadlineMs,
    }),
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter(at('metrics')),
      exportIntervalMillis: metricsEveryMs,
      exportTimeoutMillis: deadlineMs,
    }),
  );
}
