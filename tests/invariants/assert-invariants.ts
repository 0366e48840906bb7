import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';

const statements = fs
  .readFileSync(path.join(import.meta.dirname, 'invariants.sql'), 'utf8')
  .split(/;\s*\n/)
  .map((text) => text.replace(/^--.*$/gm, '').trim())
  .filter(Boolean);

/** What the invariants call themselves; a test breaks each of them once. */
export const invariantNames = statements.map(
  (text) => /^select '([^']+)' as invariant/.exec(text)?.[1] ?? text,
);

export const invariantCount = statements.length;

/** A row that breaks an invariant. */
export interface Breach {
  readonly invariant: string;
  readonly subject: string;
  readonly facts: string;
}

/** Every row that breaks an invariant, as this connection sees the ledger. */
export async function breachesSeenBy(client: pg.Client): Promise<Breach[]> {
  const broken: Breach[] = [];
  for (const statement of statements) broken.push(...(await client.query<Breach>(statement)).rows);
  return broken;
}

/** Runs every invariant as the superuser (row-level security hides nothing). Throws with each row that breaks one. */
export async function assertInvariants(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    // One snapshot for all of them, or a commit in between would look like a fault.
    await client.query('begin isolation level repeatable read read only');
    const broken = await breachesSeenBy(client);
    if (broken.length)
      throw new Error(
        `The ledger is broken:\n  ${broken.map(({ invariant, subject, facts }) => `${invariant}: ${subject}: ${facts}`).join('\n  ')}`,
      );
  } finally {
    await client.end();
  }
}
