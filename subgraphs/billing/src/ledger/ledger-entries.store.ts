import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';

export type LedgerEntryKind = 'TOP_UP' | 'GRANT' | 'SETTLEMENT' | 'EXPIRY' | 'REFUND' | 'ADJUSTMENT';

/** All rows of one id: the change of a wallet with the transfers that make it up. */
export interface LedgerEntry {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly seq: bigint;
  readonly kind: LedgerEntryKind;
  readonly amount: bigint;
  readonly balanceAfter: bigint;
  readonly at: Date;
  readonly runId: Uuid | null;
  readonly saleorOrderId: string | null;
}

export interface Transfer {
  readonly debitAccount: string;
  readonly creditAccount: string;
  readonly amount: bigint;
  readonly code: string;
}

export interface UsageLine {
  readonly dimension: string;
  readonly quantity: bigint;
  readonly unitPrice: bigint;
  readonly amount: bigint;
}

const columns = `id, organization_id as "organizationId", seq, kind, amount, balance_after as "balanceAfter", at, run_id as "runId", saleor_order_id as "saleorOrderId"`;

/** Newest first; the cursor is the entry's seq. */
export const entriesOf = (
  tx: Tx,
  organizationId: Uuid,
  kinds: readonly LedgerEntryKind[] | null,
  page: PageRequest,
) =>
  tx.sql<LedgerEntry>(
    `-- entriesOf
     select ${columns} from ledger_entry
     where organization_id = $1 and ($2::text[] is null or kind = any ($2)) and ($3::bigint is null or seq < $3) order by seq desc limit $4`,
    [organizationId, kinds, page.afterKey, page.first + 1],
  );

/** Entries that an order's lines made, oldest first. */
export const entriesOfOrder = (tx: Tx, saleorOrderId: string) =>
  tx.sql<LedgerEntry>(
    `-- entriesOfOrder
     select ${columns} from ledger_entry where saleor_order_id = $1 and kind in ('TOP_UP', 'GRANT') order by id`,
    [saleorOrderId],
  );

/** The double-entry rows of entries, by entry. */
export const transfersOf = async (tx: Tx, entryIds: readonly Uuid[]): Promise<Map<Uuid, Transfer[]>> =>
  byEntry(
    await tx.sql<Transfer & OfEntry>(
      `-- transfersOf
     select entry_id as "entryId", debit_account as "debitAccount", credit_account as "creditAccount", amount, code
     from transfer where entry_id = any ($1) order by entry_id, leg`,
      [entryIds],
    ),
  );

/** What settlements charged for, by entry. */
export const usageOf = async (tx: Tx, entryIds: readonly Uuid[]): Promise<Map<Uuid, UsageLine[]>> =>
  byEntry(
    await tx.sql<UsageLine & OfEntry>(
      `-- usageOf
     select entry_id as "entryId", dimension, quantity, unit_price as "unitPrice", amount
     from usage_line where entry_id = any ($1) order by entry_id, dimension`,
      [entryIds],
    ),
  );

interface OfEntry {
  readonly entryId: Uuid;
}
const byEntry = <Row extends OfEntry>(rows: readonly Row[]): Map<Uuid, Row[]> =>
  Map.groupBy(rows, ({ entryId }) => entryId);

/** The wallet's balance at an instant: that of the last entry not after it, in milliseconds, as entries show their time. */
export async function balanceAt(tx: Tx, organizationId: Uuid, at: Date): Promise<bigint> {
  const [row] = await tx.sql<{ balanceAfter: bigint }>(
    `-- balanceAt
     select balance_after as "balanceAfter" from ledger_entry where organization_id = $1 and at < $2::timestamptz + interval '1 millisecond'
     order by at desc, seq desc limit 1`,
    [organizationId, at],
  );
  return row?.balanceAfter ?? 0n;
}
