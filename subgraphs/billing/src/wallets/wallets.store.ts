import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';

/** A wallet read in one statement, so that available = balance - reserved holds. */
export interface Wallet {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly balance: bigint;
  readonly reserved: bigint;
  readonly debt: bigint;
  readonly state: 'OPEN' | 'FROZEN';
}

/** The wallets of these organizations that the transaction's scope covers. */
export async function walletsOf(tx: Tx, organizationIds: readonly Uuid[]): Promise<Map<Uuid, Wallet>> {
  const rows = await tx.sql<Wallet>(
    `-- walletsOf
     select id, organization_id as "organizationId", balance, reserved, debt, state from wallet where organization_id = any ($1)`,
    [organizationIds],
  );
  return new Map(rows.map((wallet) => [wallet.organizationId, wallet]));
}
