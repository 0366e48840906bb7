import type { Database, Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import { genesisHash, type ChainRecord, type Head, type Lookup } from './audit-chain.ts';

/** Appends in one round trip and one commit, in this order. */
export const appendRecords = (db: Database, records: readonly (Lookup & { readonly body: string })[]) =>
  db.statement('appendRecords', 'select append_audit($1)', [JSON.stringify(records)]);

/** A decision and, once its call has ended, the completion: as they were written. */
export interface WrittenEntry {
  readonly decision: string;
  readonly completion: string | null;
}

const entries = `select d.body as decision, c.body as completion
  from audit_record d left join audit_record c on c.id = d.id and c.kind = 'COMPLETION' where d.kind = 'DECISION'`;

export async function entryById(tx: Tx, id: Uuid): Promise<WrittenEntry | undefined> {
  const [row] = await tx.sql<WrittenEntry>(`-- entryById\n ${entries} and d.id = $1`, [id]);
  return row;
}

/** Which entries of an organization; null is any. */
export interface EntryFilter {
  readonly runId: Uuid | null;
  readonly toolId: string | null;
  readonly decision: string | null;
}

/** Newest first, those made before the entry `after`. */
export const entriesOf = (
  tx: Tx,
  organizationId: Uuid,
  filter: EntryFilter,
  page: { readonly first: number; readonly after: Uuid | null },
) =>
  tx.sql<WrittenEntry>(
    `-- entriesOf\n ${entries} and d.organization_id = $1 and ($2::uuid is null or d.id < $2) and ($3::uuid is null or d.run_id = $3)
       and ($4::text is null or d.tool_id = $4) and ($5::text is null or d.decision = $5) order by d.id desc limit $6`,
    [organizationId, page.after, filter.runId, filter.toolId, filter.decision, page.first],
  );

/** Records in the order of the chain, with their columns, and the head as it was at the same moment. */
export async function recordsFrom(
  tx: Tx,
  { from, to, limit }: { readonly from: bigint; readonly to: bigint | undefined; readonly limit: number },
): Promise<{ readonly head: Head; readonly records: readonly ChainRecord[] }> {
  type Row = Omit<ChainRecord, 'lookup' | 'seq'> &
    Lookup & { readonly headSeq: bigint; readonly headHash: string; readonly seq: bigint | null };
  const rows = await tx.sql<Row>(
    `-- recordsFrom
     select coalesce(h.seq, 0) as "headSeq", coalesce(h.hash, $4) as "headHash", r.* from audit_head h left join lateral (
       select seq, prev_hash as "prevHash", hash, body, id, kind, organization_id as "organizationId", run_id as "runId", tool_id as "toolId", decision
       from audit_record where seq >= $1 and ($2::bigint is null or seq <= $2) order by seq limit $3) r on true order by r.seq`,
    [from, to ?? null, limit, genesisHash],
  );
  return {
    head: { seq: rows[0]?.headSeq ?? 0n, hash: rows[0]?.headHash ?? genesisHash },
    records: rows.flatMap(({ headSeq: _s, headHash: _h, seq, prevHash, hash, body, ...lookup }) =>
      seq === null ? [] : [{ seq, prevHash, hash, body, lookup }],
    ),
  };
}
