import pg from 'pg';
import { pendingMigrations, type MigrationSource } from '@agentstore/kernel/db/migrate';
import type { Check } from './check.ts';
import { brokenInvariants, invariants } from './ledger.ts';

/** Checks of the database, as the application role. */
export function databaseChecks(url: string, sources: readonly MigrationSource[]): readonly Check[] {
  return [
    {
      name: 'database',
      mend: 'see that PostgreSQL runs and that the URL and password are right (docs/runbook.md, PostgreSQL is away)',
      look: () =>
        connected(url, async (client) => {
          const { rows } = await client.query<{ version: string }>(
            `select current_setting('server_version') as version`,
          );
          return `PostgreSQL ${rows[0]?.version}`;
        }),
    },
    {
      name: 'migrations',
      mend: 'run npm run db:migrate as the owner of the schemas; npm start does so by itself',
      look: () =>
        connected(url, async (client) => {
          const pending = await pendingMigrations(client, sources);
          if (pending.length) throw new Error(`not applied as they are here: ${pending.join(', ')}`);
          return `${sources.length} schemas are complete`;
        }),
    },
    {
      name: 'ledger',
      mend: 'stop billing, keep the database as it is, and look for the first wrong entry (docs/runbook.md, a broken ledger)',
      look: () =>
        connected(url, async (client) => {
          const broken = await brokenInvariants(client);
          if (broken.length) throw new Error(list(broken));
          return `${invariants.length} invariants hold`;
        }),
    },
    {
      name: 'outbox',
      mend: 'mend what refuses them, then npm run doctor -- redrive (docs/runbook.md, a parked fact)',
      look: () =>
        connected(url, async (client) => {
          let waiting = 0;
          const parked: string[] = [];
          for (const { schema } of sources) {
            const { rows } = await client.query<{ topic: string; key: string; parked_reason: string | null }>(
              `select topic, key, parked_reason from ${schema}.outbox order by parked_reason nulls last limit 1000`,
            );
            waiting += rows.filter((row) => row.parked_reason === null).length;
            for (const row of rows)
              if (row.parked_reason !== null)
                parked.push(`${schema} ${row.topic} ${row.key}: ${row.parked_reason}`);
          }
          if (parked.length) throw new Error(`${parked.length} facts are parked: ${list(parked)}`);
          return waiting ? `${waiting} facts on their way` : 'no fact waits';
        }),
    },
    {
      name: 'orders',
      mend: 'bind the variant to a plan or pack, or refund the line (docs/runbook.md, a parked order)',
      look: () =>
        connected(url, async (client) => {
          const { rows } = await client.query<{ line: string; reason: string }>(
            `select saleor_order_id || ' line ' || saleor_line_id as line, reason from control_plane.parked_order_line order by parked_at limit 1000`,
          );
          if (rows.length)
            throw new Error(
              `${rows.length} lines are parked: ${list(rows.map(({ line, reason }) => `${line}: ${reason}`))}`,
            );
          return 'no order line is parked';
        }),
    },
  ];
}

/** The first few of a list, for one line of text. */
export const list = (items: readonly string[]): string =>
  items.length > 5 ? `${items.slice(0, 5).join('; ')} and ${items.length - 5} more` : items.join('; ');

/** Work on a connection of its own, with the scope of all organizations. */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 10_000,
    application_name: 'agentstore-doctor',
    options: '-c agentstore.scope=*',
  });
  client.on('error', () => undefined); // the statement under way fails and says so
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
