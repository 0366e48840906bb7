import { silentLog } from '@agentstore/kernel/log';
import { startShop } from '../server.ts';

/** A shop in a process of its own, to be killed: `node shop-process.ts <databaseUrl> <stateDir>` prints its URL. */
const [databaseUrl = '', stateDir = ''] = process.argv.slice(2);
const shop = await startShop({
  port: 0,
  databaseUrl,
  stateDir,
  log: silentLog,
  retryScheduleSeconds: [0.02, 0.02],
});
process.stdout.write(`${shop.url}\n`);
