import { systemScope } from '@agentstore/kernel/access';
import { credits } from '@agentstore/kernel/credits';
import { openDatabase } from '@agentstore/kernel/db/database';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { topUp } from '@agentstore/billing/grants/grants.store';
import { putRateCard } from '@agentstore/billing/rate-cards/rate-cards.store';
import { authorizeRun, settleRun } from '@agentstore/billing/reservations/reservations.store';
import { loadWith } from './load.ts';

const concurrency = 16;
const manyWallets = 64;

/**
 * Pairs of reserve and settle per second, 16 at a time, straight at the SQL functions: on one wallet, whose row lock they share, and over 64.
 * Both leave a ledger that the invariants are asked about.
 */
export async function measureLedger(options: {
  databaseUrl: string;
  seconds: number;
}): Promise<{ oneWallet: number; manyWallets: number }> {
  const db = openDatabase({
    url: options.databaseUrl,
    schema: 'billing',
    max: concurrency,
    log: silentLog,
  });
  try {
    const offeringId = uuidv7();
    const instanceId = uuidv7();
    await db.transaction(systemScope('bench'), (tx) =>
      putRateCard(tx, {
        offeringId,
        reserve: credits(1),
        prices: { run: '100000000000', output_token: '1000000000' },
      }),
    );
    const pairsOver = async (wallets: number): Promise<number> => {
      const organizations = Array.from({ length: wallets }, () => uuidv7());
      for (const organizationId of organizations)
        accepted(
          await topUp(
            db,
            { organizationId, credits: credits(1_000_000), kind: 'PAID', key: `bench:${organizationId}` },
            'bench',
          ),
        );
      const { perSecond } = await loadWith({
        seconds: options.seconds,
        concurrency,
        job: async (number) => {
          const organizationId = organizations[number % wallets]!;
          const runId = uuidv7();
          accepted(
            await authorizeRun(db, {
              organizationId,
              runId,
              instanceId,
              offeringId,
              ttlSeconds: 60,
              bodyHash: 'bench',
            }),
          );
          const usage = [
            { dimension: 'run', quantity: 1n },
            { dimension: 'output_token', quantity: 50n },
          ] as const;
          accepted(await settleRun(db, { organizationId, runId, usage, actor: 'bench' }));
          return 1;
        },
      });
      return perSecond;
    };
    return { oneWallet: await pairsOver(1), manyWallets: await pairsOver(manyWallets) };
  } finally {
    await db.close();
  }
}

function accepted(outcome: { ok: boolean }): void {
  if (!outcome.ok) throw new Error(`the ledger refused: ${JSON.stringify(outcome)}`);
}
