import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const folder = path.join(import.meta.dirname, '../../../../shared/data/langflow');
const isThere = fs.existsSync(folder);

/** A recorded HTTP answer, byte for byte. */
export interface Recorded {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Body without its chunk framing. */
  readonly body: string;
}

export const recordedText = (file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');

/** `describe` where the recordings lie beside the checkout; else one loud line and a skipped suite, and in CI a failure. */
export function describeRecorded(name: string, work: () => void): void {
  if (!isThere) process.stderr.write(`\nSKIPPED: ${name}: the recorded traffic is not there.\n\n`);
  describe.skipIf(!isThere && process.env['CI'] !== 'true')(`${name}`, () => {
    it('has its recordings', () => expect(isThere).toBe(true));
    if (isThere) work();
  });
}

export function recorded(file: string): Recorded {
  const raw = fs.readFileSync(path.join(folder, file));
  const split = raw.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = raw.subarray(0, split).toString().split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const body = raw.subarray(split + 4);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body: (headers['transfer-encoding'] === 'chunked' ? unchunk(body) : body).toString('utf8'),
  };
}

function unchunk(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const line = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.subarray(at, line).toString(), 16);
    if (length === 0) break;
    pieces.push(body.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
  return Buffer.concat(pieces);
}
