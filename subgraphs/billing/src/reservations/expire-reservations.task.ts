import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps, Room } from '../deps.ts';
import { sweep } from './reservations.store.ts';

const batch = 500;

/** Ends due reservations and grants, a batch at a time, by the database's clock. Any number of processes may run it. */
export function startExpirySweep({ db, log, sweepEveryMs, walletBell }: Room): Loop {
  return startLoop({
    name: 'expiry-sweep',
    log,
    everyMs: sweepEveryMs,
    work: async () => {
      const { reservations, grants, organizationIds, failures, more } = await sweep(db, batch);
      if (reservations || grants) log.info({ reservations, grants }, 'expired');
      for (const organizationId of organizationIds) walletBell.ring(organizationId);
      for (const failure of failures) log.error(failure, 'could not be expired');
      return more && reservations + grants > 0;
    },
  });
}

/** Makes the ledger's monthly partitions three months ahead; cheap when they are there. */
export function startPartitionKeeper({ db, log }: Deps): Loop {
  return startLoop({
    name: 'ledger-partitions',
    log,
    everyMs: 6 * 3_600_000,
    work: async () =>
      void (await db.statement('ensure_partitions', '-- ensurePartitions\n select ensure_partitions(3)')),
  });
}
