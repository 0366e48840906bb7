import type { MicroCredits } from '@agentstore/kernel/credits';
import type { Uuid } from '@agentstore/kernel/ids';

/** OPEN holds credits; SETTLED was charged; RELEASED was given back unused; EXPIRED was swept (charged at its checkpoint, if it had one). */
export type ReservationState = 'OPEN' | 'SETTLED' | 'RELEASED' | 'EXPIRED';

/** Credits held for one run; its id is the run's. */
export interface Reservation {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly amount: MicroCredits;
  readonly state: ReservationState;
  readonly expiresAt: Date;
  readonly charged: MicroCredits;
}

/** Something that was used and is priced: quantity is a count (tokens, calls, seconds). */
export interface Usage {
  readonly dimension: string;
  readonly quantity: bigint;
}
