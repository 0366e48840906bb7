/** The p-th percentile (0 < p ≤ 100) by nearest rank: always a value that was measured, never one in between. Throws without samples. */
export function percentile(samples: readonly number[], p: number): number {
  if (!samples.length) throw new Error('no samples');
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)]!;
}

/** Percentiles at 0 (the least), 1, 2 … 100: a latency curve. */
export const curveOf = (samples: readonly number[]): [percent: number, value: number][] =>
  Array.from({ length: 101 }, (_, p) => [p, percentile(samples, p)]);

/** Two decimals below 10, one below 100, none above: what a reader can tell apart. */
export const rounded = (value: number): number =>
  Math.abs(value) < 10
    ? Math.round(value * 100) / 100
    : Math.abs(value) < 100
      ? Math.round(value * 10) / 10
      : Math.round(value);
