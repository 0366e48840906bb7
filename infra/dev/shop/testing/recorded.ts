import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { inCi } from './config.ts';

const folder = path.join(import.meta.dirname, '../../../../../shared/data/saleor');
const found = fs.existsSync(path.join(folder, 'README.md'));

/** One recorded file as text. Only inside `describeRecorded`. */
export const recordedText = (name: string): string => fs.readFileSync(path.join(folder, name), 'utf8');

/** One recorded file as JSON. */
export const recordedJson = <T>(name: string): T => JSON.parse(recordedText(name)) as T;

/** Tests against traffic recorded from the real server, which lies outside the repository. Absent: said loudly and skipped; in CI a failure. */
export function describeRecorded(title: string, tests: () => void): void {
  if (found) {
    describe(`${title}`, () => {
      tests();
    });
    return;
  }
  process.stderr.write(
    `\n!!! NOT COMPARED with the real Saleor: ${title} (no recordings beside the repository)\n\n`,
  );
  it.skipIf(!inCi)(`${title}: the recordings are there`, () => expect(found).toBe(true));
}
