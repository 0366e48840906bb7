import fs from 'node:fs';
import path from 'node:path';
import type pg from 'pg';

/** Each statement names itself and must return no row. */
export const invariants: readonly string[] = fs
  .readFileSync(path.join(import.meta.dirname, '../../tests/invariants/invariants.sql'), 'utf8')
  .split(/;\s*\n/)
  .map((text) => text.replace(/^--.*$/gm, '').trim())
  .filter(Boolean);

/**
 * What breaks an invariant of the ledger, a line for each row. The client sees all organizations: as a superuser, or with the scope `*`, which is
 * set for this transaction. One snapshot for all of them, or a commit in between would look like a fault.
 */
export async function brokenInvariants(client: pg.ClientBase): Promise<string[]> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await client.query(`select set_config('agentstore.scope', '*', true)`);
    const broken: string[] = [];
    for (const statement of invariants)
      for (const row of (await client.query<{ invariant: string; subject: string; facts: string }>(statement))
        .rows)
        broken.push(`${row.invariant}: ${row.subject}: ${row.facts}`);
    return broken;
  } finally {
    await client.query('rollback').catch(() => undefined);
  }
}
