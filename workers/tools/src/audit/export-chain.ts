import { systemScope } from '@agentstore/kernel/access';
import type { Database } from '@agentstore/kernel/db/database';
import type { ChainLine } from './audit-chain.ts';
import { recordsFrom } from './audit-records.store.ts';

const pageSize = 1_000;

/**
 * The chain, or the records of a range of it; the last line is the head that they lead to. Records are read as far as there are any, whatever the head says: one that
 * was put back must be seen to differ.
 */
export async function* exportChain(
  db: Database,
  { from = 1n, to }: { readonly from?: bigint | undefined; readonly to?: bigint | undefined } = {},
): AsyncGenerator<ChainLine, void, void> {
  for (let next = from; ;) {
    const { head, records } = await db.transaction(systemScope('audit:export'), (tx) =>
      recordsFrom(tx, { from: next, to, limit: pageSize }),
    );
    yield* records;
    const last = records.at(-1);
    if (last && last.seq !== to && records.length === pageSize) {
      next = last.seq + 1n;
      continue;
    }
    const end = last && last.seq === to ? last : head;
    yield { head: { seq: end.seq, hash: end.hash } };
    return;
  }
}
