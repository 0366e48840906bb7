import type { GraphClient } from '../../infra/dev/main-job/graph-client.ts';
import type { Buyer, ChaosStore } from './chaos-store.ts';

/** Places in a job at which something may be killed; those of its parts with tools and with knowledge come between the others as they fall. */
export const milestones = [
  'ordered',
  'bound',
  'granted',
  'committed',
  'uploaded',
  'started',
  'tool-called',
  'streaming',
  'ended',
] as const;
export type Milestone = (typeof milestones)[number];

export interface Job {
  readonly store: ChaosStore;
  readonly graph: GraphClient;
  readonly buyer: Buyer;
  /** Told the moment the job sees it. */
  readonly reached: (milestone: Milestone) => void;
}
