import fs from 'node:fs';
import path from 'node:path';

/** Another start already owns the state directory. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

/**
 * Takes the state directory for this process; the answer gives it back. A lock whose process is gone (kill -9) is taken over.
 */
export function lockState(stateDir: string): () => void {
  fs.mkdirSync(stateDir, { recursive: true });
  const file = path.join(stateDir, 'lock');
  for (;;) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => fs.rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = Number(fs.readFileSync(file, 'utf8'));
      if (owner && owner !== process.pid && isAlive(owner))
        throw new AlreadyRunning(
          `A store already runs on this state (process ${owner}). Stop it with Ctrl-C, or give another --state directory.`,
          { cause: error },
        );
      fs.rmSync(file, { force: true });
    }
  }
}

/** Whether that process is a store: neither gone, nor a zombie nobody has reaped, nor another program under a reused id. */
function isAlive(pid: number): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('infra/dev/');
  } catch {
    if (fs.existsSync('/proc/self')) return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
