import path from 'node:path';
import { openDatabase, type Database } from '@agentstore/kernel/db/database';
import { createLog } from '@agentstore/kernel/log';
import { readDescription } from '../dev/state/description.ts';

/** Where a store keeps its data unless it is said. */
export const standardStateDir = path.join(import.meta.dirname, '../../.agentstore');

/** The tool gateway's part of the database of the store that was started in a state directory. Throws a sentence when none was. */
export function openGatewayDatabase(stateDir: string): Database {
  const store = readDescription(stateDir);
  if (!store) throw new Error(`No store was started in ${stateDir}: npm start, or --state DIR, or --file.`);
  return openDatabase({
    url: store.urls.database,
    schema: 'tools',
    max: 1,
    log: createLog({ name: 'audit', level: 'warn' }),
  });
}
