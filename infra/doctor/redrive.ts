import { openDatabase } from '@agentstore/kernel/db/database';
import { parkedFacts, redrive } from '@agentstore/kernel/db/outbox';
import type { Log } from '@agentstore/kernel/log';

/** Puts every parked fact of these schemas back; a line for each. */
export async function redriveParked(options: {
  databaseUrl: string;
  schemas: readonly string[];
  log: Log;
  write: (text: string) => void;
}): Promise<void> {
  let count = 0;
  for (const schema of options.schemas) {
    const database = openDatabase({ url: options.databaseUrl, schema, max: 1, log: options.log });
    try {
      const parked = await parkedFacts(database);
      const back = new Set(
        await redrive(
          database,
          parked.map(({ id }) => id),
        ),
      );
      for (const fact of parked.filter(({ id }) => back.has(id))) {
        count += 1;
        options.write(`${schema} ${fact.topic} ${fact.key}: put back; it was parked for “${fact.reason}”\n`);
      }
    } finally {
      await database.close();
    }
  }
  options.write(count ? `${count} facts are on their way again.\n` : 'No fact is parked.\n');
}
