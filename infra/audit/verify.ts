import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { parseLine, verifyChain, type ChainLine, type Verdict } from '@agentstore/tools/audit/audit-chain';
import { exportChain } from '@agentstore/tools/audit/export-chain';
import { openGatewayDatabase, standardStateDir } from './store-database.ts';

const help = `npm run audit:verify -- [--file FILE | --state DIR] [--head HASH]

  --file FILE   an export (npm run audit:export > FILE, or GET /internal/audit:export): nothing else is needed
  --state DIR   the database of the store that was started there (default .agentstore)
  --head HASH   a head that was kept from before: the chain must still hold it

Answers 0 when the chain is whole, 1 when it is not, 2 when it could not be read.
`;

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}

async function run(argv: readonly string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { file: text, state: text, head: text, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.head !== undefined && !/^[0-9a-f]{64}$/.test(values.head))
    throw new Error('--head is no hash: 64 hexadecimal digits in lower case.');
  const verdict =
    values.file === undefined
      ? await verifyStore(path.resolve(values.state ?? standardStateDir), values.head)
      : await verifyChain(linesIn(values.file), values.head);
  process.stdout.write(`${sentenceOf(verdict)}\n`);
  return verdict.fault ? 1 : 0;
}

async function verifyStore(stateDir: string, anchor: string | undefined): Promise<Verdict> {
  const db = openGatewayDatabase(stateDir);
  try {
    return await verifyChain(exportChain(db), anchor);
  } finally {
    await db.close();
  }
}

/** The lines of an export. What npm says of a script before its output is left out. */
async function* linesIn(file: string): AsyncGenerator<ChainLine | undefined> {
  const input = fs.createReadStream(file);
  let begun = false;
  for await (const line of readline.createInterface({ input, crlfDelay: Infinity })) {
    begun ||= line !== '' && !line.startsWith('> ');
    if (begun) yield parseLine(line);
  }
}

function sentenceOf({ records, from, last, fault }: Verdict): string {
  if (fault)
    return `✗ ${fault.code}${fault.seq === undefined ? '' : ` at record ${fault.seq}`}: ${fault.message}. ${records} records before it are whole.`;
  const before =
    from === undefined || from === 1n ? '' : ` What was before record ${from} was not looked at.`;
  return last
    ? `✓ ${records} records, ${from} to ${last.seq}, are whole; the head is ${last.hash}.${before}`
    : '✓ The chain has no record yet.';
}
