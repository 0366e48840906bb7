import fs from 'node:fs';
import path from 'node:path';
import type pg from 'pg';

/** Each statement names itself and must return no row. */
export const invariants: readonly string[] = fs
  .readFileSync(path.join(import.meta.dirname, '../../tests/invariants/invariants.sql'), 'utf8')
  .split(/;\s*\n/)
  .map((text) => text.replace(/^--.*$/gm, '').trim())
  .filter(Boolean);

/** A row that breaks an invariant. */
export interface Breach {
  readonly invariant: string;
  readonly subject: string;
  readonly facts: string;
}

/** Every row that breaks an invariant of the ledger, as this connection sees it now. */
export async function breachesSeenBy(client: pg.ClientBase): Promise<Breach[]> {
  const breaches: Breach[] = [];
  for (const statement of invariants) breaches.push(...(await client.query<Breach>(statement)).rows);
  return breaches;
}

/**
 * What breaks an invariant of the ledger, a line for each row. The client sees all organizations: as a superuser, or with the scope `*`, which is
 * set for this transaction. One snapshot for all of them, or a commit in between would look like a fault.
 */
export async function brokenInvariants(client: pg.ClientBase): Promise<string[]> {
  await client.query('begin isolation level repeatable read read only');
  try {
    await client.query(`select set_config('agentstore.scope', '*', true)`);
    return (await breachesSeenBy(client)).map(
      ({ invariant, subject, facts }) => `${invariant}: ${subject}: ${facts}`,
    );
  } finally {
    await client.query('rollback').catch(() => undefined);
  }
}
