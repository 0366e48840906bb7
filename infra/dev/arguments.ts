import path from 'node:path';
import { parseArgs } from 'node:util';

/** Options of `npm start` and `npm run demo`. */
export interface DevArguments {
  readonly stateDir: string;
  readonly runtime: 'dev' | 'lfx';
  readonly port: number | undefined;
  readonly demo: boolean;
  readonly verbose: boolean;
}

const help = `npm start -- [options]

  --runtime dev|lfx   executes flows on the dev runtime (default) or on the real lfx (needs Python 3.11, 3.12 or 3.13;
                      installed at its first use)
  --port N            port of the store (default 4000, or the next free one)
  --state DIR         where its data are kept (default .agentstore)
  --no-demo           do not perform the main job at the first start
  --verbose           write the log to the terminal instead of <state>/agentstore.log
  --help              this text

npm run demo -- [--state DIR]   performs the main job on the running store
`;

/** Parses the command line; prints the help, or what is wrong, and exits. */
export function devArguments(argv: readonly string[]): DevArguments {
  try {
    const parsed = parseDevArguments(argv);
    if (parsed !== 'help') return parsed;
    process.stdout.write(help);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${help}`);
    process.exit(2);
  }
}

/** Parses the command line. Throws with what is wrong. */
export function parseDevArguments(argv: readonly string[]): DevArguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      runtime: { type: 'string', default: 'dev' },
      port: { type: 'string' },
      state: { type: 'string', default: path.join(import.meta.dirname, '../../.agentstore') },
      demo: { type: 'boolean', default: true },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.runtime !== 'dev' && values.runtime !== 'lfx')
    throw new Error(`--runtime is dev or lfx, not ${values.runtime}`);
  if (values.port !== undefined && !isPort(values.port)) throw new Error('--port must be a port number');
  if (values.state === '') throw new Error('--state must name a directory');
  return {
    stateDir: path.resolve(values.state),
    runtime: values.runtime,
    port: values.port === undefined ? undefined : Number(values.port),
    demo: values.demo,
    verbose: values.verbose,
  };
}

const isPort = (text: string): boolean =>
  /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
