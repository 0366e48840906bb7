import {
  AggregationTemporality,
  InMemoryMetricExporter,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';
import { recordWith } from '../telemetry.ts';
import { sdkTelemetry } from '../telemetry-sdk.ts';

/** Records spans and measurements in memory until the test is over. */
export function recordTelemetry() {
  const spans = new InMemorySpanExporter();
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 });
  const recording = recordWith(sdkTelemetry('test', new SimpleSpanProcessor({ exporter: spans }), reader));
  onTestFinished(() => recording.stop());
  return {
    /** Spans that have ended, in that order. */
    spans: () =>
      spans.getFinishedSpans().map((span) => ({
        name: span.name,
        traceId: span.spanContext().traceId,
        spanId: span.spanContext().spanId,
        parentId: span.parentSpanContext?.spanId,
        attributes: span.attributes,
        status: span.status,
        events: span.events,
      })),
    /** Histograms by name, each with its points by attributes. */
    async histograms() {
      await reader.forceFlush();
      const newest = metrics.getMetrics().at(-1);
      return (newest?.scopeMetrics ?? []).flatMap((scope) =>
        scope.metrics.map(({ descriptor, dataPoints }) => ({
          name: descriptor.name,
          unit: descriptor.unit,
          points: dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        })),
      );
    },
  };
}
