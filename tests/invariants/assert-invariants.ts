import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';

/** Each statement names itself and must return no row. */
export const invariants: readonly string[] = fs
  .readFileSync(path.join(import.meta.dirname, 'invariants.sql'), 'utf8')
  .split(/;\s*\n/)
  .map((text) => text.replace(/^--.*$/gm, '').trim())
  .filter(Boolean);

/** How many invariants there are; a test checks that none was lost in reading the file. */
export const invariantCount = invariants.length;

/** Runs every invariant as the superuser (row-level security hides nothing). Throws with each row that breaks one. */
export async function assertInvariants(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // One snapshot for all of them, or a commit in between would look like a fault.
    await client.query('begin isolation level repeatable read read only');
    const broken: string[] = [];
    for (const statement of invariants)
      for (const row of (await client.query<{ invariant: string; subject: string; facts: string }>(statement))
        .rows)
        broken.push(`${row.invariant}: ${row.subject}: ${row.facts}`);
    if (broken.length) throw new Error(`The ledger is broken:\n  ${broken.join('\n  ')}`);
  } finally {
    await client.end();
  }
}
