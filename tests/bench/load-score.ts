import type { PageLoad } from './page-load.ts';

/**
 * Lighthouse's mobile performance score (0–100) of a load, from what can be measured without its tracing: log-normal curves and weights of its version 12,
 * with the first paint standing for the speed index.
 */
export function scoreOf(load: PageLoad): number {
  const parts: readonly (readonly [weight: number, value: number, good: number, median: number])[] = [
    [10, load.firstPaintMs, 1_800, 3_000],
    [10, load.firstPaintMs, 3_387, 5_800],
    [25, load.largestPaintMs, 2_500, 4_000],
    [30, load.blockedMs, 200, 600],
    [25, load.layoutShift, 0.1, 0.25],
  ];
  return parts.reduce((sum, [weight, value, good, median]) => sum + weight * share(value, good, median), 0);
}

/** 0.9 at `good`, 0.5 at `median`: 0.906… is where erfc is 1.8, from the middle. */
const share = (value: number, good: number, median: number): number =>
  value <= 0 ? 1 : erfc((0.9061938024368232 * Math.log(value / median)) / Math.log(median / good)) / 2;

/** Abramowitz and Stegun 7.1.26: within 1.5e-7. */
function erfc(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const erf =
    1 -
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) *
      t *
      Math.exp(-x * x);
  return x >= 0 ? 1 - erf : 1 + erf;
}
