import path from 'node:path';
import { parseArgs } from 'node:util';
import { findMigrations } from '@agentstore/kernel/db/migrate';
import { createLog } from '@agentstore/kernel/log';
import { readDescription, type DevDescription } from '../dev/state/description.ts';
import { runChecks } from './check.ts';
import { redriveParked } from './redrive.ts';
import { readSecrets, storeChecks } from './store.ts';

/** Where a running store is told of, and what it says. */
interface Patient {
  readonly stateDir: string;
  readonly description: DevDescription;
}

const write = (text: string): void => void process.stdout.write(text);

/** What can be asked, by name; each answers the exit code. */
const commands: Readonly<Record<string, (patient: Patient) => Promise<number>>> = {
  async store({ stateDir, description }) {
    const failed = await runChecks(storeChecks(description, readSecrets(stateDir)), write);
    write(failed ? `\n${failed} of the checks failed.\n` : '\nThe store is well.\n');
    return failed ? 1 : 0;
  },
  async redrive({ description }) {
    await redriveParked({
      databaseUrl: description.urls.database,
      schemas: findMigrations(path.join(import.meta.dirname, '../..')).map(({ schema }) => schema),
      log: createLog({ name: 'doctor', level: 'warn' }),
      write,
    });
    return 0;
  },
};

const help = `npm run doctor -- [command] [--state DIR]

  store     checks a running store: every URL, the database and its ledger, Git, identity, objects, the runtime (default)
  redrive   puts parked facts of the outboxes back, after what refused them was mended

  --state DIR   where the store keeps its data (default .agentstore)
`;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}

async function run(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      state: { type: 'string', default: path.join(import.meta.dirname, '../../.agentstore') },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    write(help);
    return 0;
  }
  const [name = 'store'] = positionals;
  const command = commands[name];
  if (!command) throw new Error(`There is no ${name}.\n\n${help}`);
  const stateDir = path.resolve(values.state);
  const description = readDescription(stateDir);
  if (!description) throw new Error(`No store was started in ${stateDir}: npm start, or --state DIR.`);
  return command({ stateDir, description });
}
