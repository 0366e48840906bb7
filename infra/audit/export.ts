import { once } from 'node:events';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { printLine } from '@agentstore/tools/audit/audit-chain';
import { exportChain } from '@agentstore/tools/audit/export-chain';
import { openGatewayDatabase, standardStateDir } from './store-database.ts';

/** `npm run audit:export [-- --state DIR] > export.ndjson`: the whole chain of a running store, a record a line, and its head. */
const { values } = parseArgs({ options: { state: { type: 'string', default: standardStateDir } } });
try {
  const db = openGatewayDatabase(path.resolve(values.state));
  try {
    for await (const line of exportChain(db))
      if (!process.stdout.write(`${printLine(line)}\n`)) await once(process.stdout, 'drain');
  } finally {
    await db.close();
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
