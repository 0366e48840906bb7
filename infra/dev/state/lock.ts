import fs from 'node:fs';
import path from 'node:path';
import { takeLock } from './lock-file.ts';

/** Another start already owns the state directory. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

/**
 * Takes the state directory for this process; the answer gives it back. Throws AlreadyRunning while the owner lives.
 */
export function lockState(stateDir: string): () => void {
  fs.mkdirSync(stateDir, { recursive: true });
  const answer = takeLock(path.join(stateDir, 'lock'));
  if ('release' in answer) return answer.release;
  throw new AlreadyRunning(
    `A store already runs on this state (process ${answer.holder}). Stop it with Ctrl-C, or give another --state directory.`,
  );
}
