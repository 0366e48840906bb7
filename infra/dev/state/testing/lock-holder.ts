import { AlreadyRunning, lockState } from '../lock.ts';

// Takes the lock of a state directory in a process of its own, says whether it has it, and stays until it is killed.
let taken = true;
try {
  lockState(process.argv[2] ?? '');
} catch (error) {
  if (!(error instanceof AlreadyRunning)) throw error;
  taken = false;
}
process.send?.({ taken });
process.once('disconnect', () => process.exit());
