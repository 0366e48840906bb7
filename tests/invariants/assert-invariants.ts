import pg from 'pg';
import { brokenInvariants, invariants } from '../../infra/doctor/ledger.ts';

/** How many invariants there are; a test checks that none was lost in reading the file. */
export const invariantCount = invariants.length;

/** Runs every invariant as the superuser (row-level security hides nothing). Throws with each row that breaks one. */
export async function assertInvariants(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const broken = await brokenInvariants(client);
    if (broken.length) throw new Error(`The ledger is broken:\n  ${broken.join('\n  ')}`);
  } finally {
    await client.end();
  }
}
