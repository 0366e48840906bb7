import path from 'node:path';
import { parseArgs } from 'node:util';
import { findMigrations } from '@agentstore/kernel/db/migrate';
import { createLog } from '@agentstore/kernel/log';
import { readDescription, type DevDescription } from '../dev/state/description.ts';
import { runChecks } from './check.ts';
import { redriveParked } from './redrive.ts';
import { choosePatient, type SaleorArguments } from './saleor/choose-patient.ts';
import { examineSaleor } from './saleor/examine-saleor.ts';
import { readSecrets, storeChecks } from './store.ts';

/** What the command line says. */
interface Arguments extends SaleorArguments {
  readonly stateDir: string;
}

const write = (text: string): void => void process.stdout.write(text);

/** What can be asked, by name; each answers the exit code. */
const commands: Readonly<Record<string, (given: Arguments) => Promise<number>>> = {
  async store({ stateDir }) {
    const failed = await runChecks(storeChecks(runningStore(stateDir), readSecrets(stateDir)), write);
    return told(failed, 'The store is well.');
  },
  async saleor(given) {
    const failed = await examineSaleor(await choosePatient(given, given.stateDir), write);
    return told(failed, 'Saleor is connected as it should be.');
  },
  async redrive({ stateDir }) {
    await redriveParked({
      databaseUrl: runningStore(stateDir).urls.database,
      schemas: findMigrations(path.join(import.meta.dirname, '../..')).map(({ schema }) => schema),
      log: createLog({ name: 'doctor', level: 'warn' }),
      write,
    });
    return 0;
  },
};

const help = `npm run doctor -- [command] [--state DIR]

  store     checks a running store: every URL, the database and its ledger, Git, identity, objects, the runtime (default)
  saleor    checks how a Saleor is connected, and says how to mend what is wrong: the shop of the running store, or
            --url URL --public-origin ORIGIN [--token TOKEN] [--manifest-url URL] [--issuer URL] [--audience AUD] [--channel SLUG]
  redrive   puts parked facts of the outboxes back, after what refused them was mended

  --state DIR            where the store keeps its data (default .agentstore)
  --url URL              Saleor's GraphQL URL, such as https://shop.example.com/graphql/
  --token TOKEN          of a superuser, or of staff or an app with MANAGE_APPS, MANAGE_PLUGINS, MANAGE_ORDERS and MANAGE_PRODUCTS;
                         read from SALEOR_TOKEN when not given, so that it need not stand in the shell's history
  --public-origin ORIGIN the router's PUBLIC_ORIGIN
  --manifest-url URL     of the provisioner: <APP_BASE_URL>/api/manifest (default: where the app was installed from)
  --issuer URL           OIDC_ISSUER, to compare its keys with the plugin's
  --audience AUD         OIDC_AUDIENCE (default <public origin>/graphql)
  --channel SLUG         that is sold in (default-channel)
`;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}

async function run(argv: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      state: { type: 'string', default: path.join(import.meta.dirname, '../../.agentstore') },
      url: text,
      token: text,
      'public-origin': text,
      'manifest-url': text,
      issuer: text,
      audience: text,
      channel: text,
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
  return command({
    ...values,
    stateDir: path.resolve(values.state),
    publicOrigin: values['public-origin'],
    manifestUrl: values['manifest-url'],
  });
}

function runningStore(stateDir: string): DevDescription {
  const description = readDescription(stateDir);
  if (!description) throw new Error(`No store was started in ${stateDir}: npm start, or --state DIR.`);
  return description;
}

function told(failed: number, well: string): number {
  write(failed ? `\n${failed} of the checks failed.\n` : `\n${well}\n`);
  return failed ? 1 : 0;
}
