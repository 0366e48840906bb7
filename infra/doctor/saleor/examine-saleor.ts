import { runChecks } from '../check.ts';
import { appChecks } from './app.ts';
import { closedCheck } from './closed.ts';
import type { SaleorPatient } from './patient.ts';
import { sellingChecks } from './selling.ts';
import { reachCheck, serverChecks } from './server.ts';
import { signInChecks } from './sign-in.ts';

/** Checks how a Saleor is connected, a line for each; answers how many failed. The others wait until it answers at all. */
export async function examineSaleor(patient: SaleorPatient, write: (text: string) => void): Promise<number> {
  // One check asks several times.
  const deadlineMs = 3 * patient.deadlineMs;
  const away = await runChecks([reachCheck(patient)], write, deadlineMs);
  if (away) {
    write('The other checks wait until it answers.\n');
    return away;
  }
  return runChecks(
    [
      ...serverChecks(patient),
      ...appChecks(patient),
      ...signInChecks(patient),
      ...sellingChecks(patient),
      closedCheck(patient),
    ],
    write,
    deadlineMs,
  );
}
