import type { Database, Tx } from '@agentstore/kernel/db/database';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { outcomeOf, type SqlAnswer } from '../answer.ts';

/** A wallet read in one statement, so that available = balance - reserved holds. */
export interface Wallet {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly balance: bigint;
  readonly reserved: bigint;
  readonly debt: bigint;
  /** How many ledger entries it has. */
  readonly seq: bigint;
  readonly state: 'OPEN' | 'FROZEN';
}

/** The wallets of these organizations that the transaction's scope covers. */
export async function walletsOf(tx: Tx, organizationIds: readonly Uuid[]): Promise<Map<Uuid, Wallet>> {
  const rows = await tx.sql<Wallet>(
    `-- walletsOf
     select id, organization_id as "organizationId", balance, reserved, debt, seq, state from wallet where organization_id = any ($1)`,
    [organizationIds],
  );
  return new Map(rows.map((wallet) => [wallet.organizationId, wallet]));
}

/** Gives (amount above zero) or takes credits by hand, once per key; one round trip. */
export async function adjustWallet(
  db: Database,
  input: { organizationId: Uuid; amount: bigint; reason: string; idempotencyKey: string; actor: string },
) {
  const { organizationId, amount, reason, idempotencyKey, actor } = input;
  const [row] = await db.statement<{ answer: SqlAnswer }>(
    'adjust_wallet',
    '-- adjustWallet\n select adjust_wallet($1, $2, $3, $4, $5, $6, $7, $8) as answer',
    [
      organizationId,
      `adjust:${idempotencyKey}`,
      hashOf({ amount, reason }),
      uuidv7(),
      uuidv7(),
      amount,
      reason,
      actor,
    ],
  );
  return outcomeOf<{ ledgerEntryId: Uuid; balance: string; replayed: boolean }>(row!.answer);
}
