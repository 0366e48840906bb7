import { withDeadline } from '@agentstore/kernel/deadline';

/** One thing that must be so. */
export interface Check {
  readonly name: string;
  /** What to do when it is not. */
  readonly mend: string;
  /** Answers what was found; throws a sentence that says what is wrong. */
  readonly look: () => Promise<string>;
}

/** Runs checks one after the other, a line for each; answers how many failed. One that takes longer than the deadline has failed. */
export async function runChecks(
  checks: readonly Check[],
  write: (text: string) => void,
  deadlineMs = 15_000,
): Promise<number> {
  let failed = 0;
  for (const check of checks)
    try {
      write(`✓ ${check.name.padEnd(20)} ${await withDeadline(check.look(), deadlineMs, 'it')}\n`);
    } catch (error) {
      failed += 1;
      write(`✗ ${check.name.padEnd(20)} ${(error as Error).message}\n${' '.repeat(23)}→ ${check.mend}\n`);
    }
  return failed;
}
