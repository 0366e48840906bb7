import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What the first record names as the hash before it. */
export const genesisHash = '0'.repeat(64);

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
const seq = z
  .string()
  .regex(/^(0|[1-9]\d{0,18})$/)
  .transform(BigInt);

/** A line of an export: the records in their order, then the head that they lead to. */
const chainLine = z.union([
  z.strictObject({ seq, prevHash: sha256Hex, hash: sha256Hex, body: z.string() }),
  z.strictObject({ head: z.strictObject({ seq, hash: sha256Hex }) }),
]);

/** Where records of a store are found by; all of it is in the body too. */
export interface Lookup {
  readonly id: string;
  readonly kind: string;
  readonly organizationId: string;
  readonly runId: string | null;
  readonly toolId: string | null;
  readonly decision: string | null;
}

export interface ChainRecord {
  readonly seq: bigint;
  readonly prevHash: string;
  /** sha256 (hex) of `prevHash`, `seq` in decimal and `body`, one after the other in UTF-8. */
  readonly hash: string;
  /** Canonical JSON of the decision or completion, with `kind` and `at` (ISO 8601). */
  readonly body: string;
  /** The columns beside it, where the record was read from the store itself. */
  readonly lookup?: Lookup;
}

export interface Head {
  readonly seq: bigint;
  readonly hash: string;
}

export type ChainLine = ChainRecord | { readonly head: Head };

/** What is wrong, as the first record that shows it. */
export type ChainFaultCode = 'MALFORMED' | 'ORDER' | 'GAP' | 'LINK' | 'HASH' | 'COLUMNS' | 'END' | 'HEAD';

export interface Verdict {
  /** Records that are whole, up to the first fault. */
  readonly records: number;
  /** Number of the first record that was looked at; what it names as its predecessor's hash was taken on trust unless it is 1. */
  readonly from: bigint | undefined;
  readonly last: Head | undefined;
  readonly fault:
    { readonly code: ChainFaultCode; readonly seq: bigint | undefined; readonly message: string } | undefined;
}

export const hashOfRecord = (record: Pick<ChainRecord, 'prevHash' | 'seq' | 'body'>): string =>
  createHash('sha256').update(`${record.prevHash}${record.seq}${record.body}`).digest('hex');

/** By what a record is found, from what is written down. A tool's name that none can have is not looked up by. */
export function lookupOf(written: Readonly<Record<string, unknown>>): Lookup {
  const text = (name: string): string | null =>
    typeof written[name] === 'string' ? (written[name] as string) : null;
  const toolId = text('toolId');
  return {
    id: text('id') ?? '',
    kind: text('kind') ?? '',
    organizationId: text('organizationId') ?? '',
    runId: text('runId'),
    toolId: toolId !== null && /^[\w-]{1,200}$/.test(toolId) ? toolId : null,
    decision: text('decision'),
  };
}

/** A line of an export as text, without its end. */
export const printLine = (line: ChainLine): string =>
  JSON.stringify('head' in line ? line : { ...line, lookup: undefined }, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );

/** The line of an export; undefined when it is none. */
export function parseLine(text: string): ChainLine | undefined {
  try {
    return chainLine.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Recomputes a chain, line by line, up to its first fault. `anchor` is a head (hash) that somebody kept from before: the chain must still hold it, so that
 * neither a cut end nor a history that was computed anew passes.
 */
export async function verifyChain(
  lines: AsyncIterable<ChainLine | undefined>,
  anchor?: string,
): Promise<Verdict> {
  let records = 0;
  let from: bigint | undefined;
  let last: Head | undefined;
  let anchored = anchor === undefined || anchor === genesisHash;
  let head: Head | undefined;
  const verdict = (code: ChainFaultCode, message: string, at?: bigint): Verdict => ({
    records,
    from,
    last,
    fault: { code, seq: at, message },
  });

  for await (const line of lines) {
    const next = last === undefined ? undefined : last.seq + 1n;
    if (!line) return verdict('MALFORMED', 'this line is not a record of the chain', next ?? 1n);
    if (head) return verdict('END', 'there are lines after the head, which is the last', next);
    if ('head' in line) {
      head = line.head;
      continue;
    }
    const fault = faultOf(line, last);
    if (fault) return verdict(fault.code, fault.message, line.seq);
    records += 1;
    from ??= line.seq;
    last = line;
    anchored ||= line.hash === anchor;
  }
  if (!head) return verdict('END', 'the head is missing: the end was cut off', last?.seq);
  if (head.seq !== (last?.seq ?? 0n) || head.hash !== (last?.hash ?? genesisHash))
    return verdict(
      'HEAD',
      `the head is record ${head.seq} (${head.hash}), and the chain does not end there`,
      last?.seq,
    );
  if (!anchored)
    return verdict(
      'HEAD',
      `no record has the hash ${anchor}: its end was removed, or it is another chain`,
      last?.seq,
    );
  return { records, from, last, fault: undefined };
}

function faultOf(
  record: ChainRecord,
  before: Head | undefined,
): { code: ChainFaultCode; message: string } | undefined {
  if (before && record.seq <= before.seq)
    return { code: 'ORDER', message: `it comes after record ${before.seq}` };
  if (before && record.seq > before.seq + 1n)
    return {
      code: 'GAP',
      message: `records ${before.seq + 1n} to ${record.seq - 1n} are missing, or come later`,
    };
  const predecessor = before?.hash ?? (record.seq === 1n ? genesisHash : record.prevHash);
  if (record.prevHash !== predecessor)
    return {
      code: 'LINK',
      message: `it names ${record.prevHash} as the hash before it, which is ${predecessor}`,
    };
  const hash = hashOfRecord(record);
  if (record.hash !== hash)
    return { code: 'HASH', message: `its content has the hash ${hash}, not ${record.hash}: it was changed` };
  if (record.lookup && !sameLookup(record.lookup, record.body))
    return { code: 'COLUMNS', message: 'its columns are not what its body says' };
  return undefined;
}

const sameLookup = (columns: Lookup, body: string): boolean => {
  const said = lookupOf(JSON.parse(body) as Record<string, unknown>);
  return (Object.keys(said) as (keyof Lookup)[]).every((name) => said[name] === columns[name]);
};
