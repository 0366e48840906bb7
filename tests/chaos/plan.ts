import { processNames, type ProcessName } from './fleet.ts';
import { milestones, type Milestone } from './milestones.ts';
import { random } from './random.ts';

/** What one seed kills, and when. */
export interface Plan {
  readonly seed: number;
  readonly victim: ProcessName | 'postgres' | 'everything' | 'tree';
  readonly milestone: Milestone;
  readonly delayMs: number;
  /** Whether one of the jobs ends its instance. */
  readonly terminates: boolean;
}

/** Every tenth seed kills the tree of `npm start`; the others go through these in turn, so that no victim depends on luck. */
const victims = [...processNames, 'postgres', 'everything'] as const;
const everyTree = 10;

/** Long enough to reach the next milestone or two. */
const longestMs = 400;

export const planOf = (seed: number): Plan => {
  const { next } = random(seed);
  const isTree = seed % everyTree === 0;
  const turn = isTree ? seed / everyTree : seed - Math.floor(seed / everyTree);
  const round = isTree ? turn : Math.floor(turn / victims.length);
  const place = turn % victims.length;
  return {
    seed,
    victim: isTree ? 'tree' : victims[place]!,
    // Each round moves every victim to another milestone.
    milestone: milestones[(isTree ? turn - 1 : place + round) % milestones.length]!,
    delayMs: Math.floor(next() * longestMs),
    terminates: seed % 3 === 0,
  };
};
