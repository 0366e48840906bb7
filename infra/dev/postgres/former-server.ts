import fs from 'node:fs';
import path from 'node:path';
import { identityOf, livingProcess } from '../state/process-identity.ts';

/** Another live process runs a server on this data directory. */
export class DataDirectoryInUse extends Error {
  override readonly name = 'DataDirectoryInUse';
}

const politeMs = 10_000;
const patienceMs = 20_000;

/**
 * Makes sure that no server of a former owner is left on the data directory: after kill -9 its processes need a moment to end, and an
 * orphan (its guard was killed too) is ended here. Throws DataDirectoryInUse when the owner still lives.
 */
export async function endFormerServer(dataDir: string): Promise<void> {
  const began = Date.now();
  for (let asked: 'nothing' | 'to stop' | 'to quit' = 'nothing'; ; await pause(50)) {
    const members = processesIn(dataDir);
    const noted = postmasterOf(dataDir);
    if (members.length === 0) {
      // Nobody is there, so the file is a leftover. PostgreSQL sees that itself, unless the number belongs to another process by now.
      if (noted !== undefined) fs.rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
      return;
    }
    const postmaster = members.find((pid) => pid === noted);
    const owner = livingOwner(dataDir);
    if (postmaster !== undefined && owner !== undefined)
      throw new DataDirectoryInUse(
        `PostgreSQL (process ${postmaster}) already runs on ${dataDir}, started by process ${owner}.`,
      );
    const waitedMs = Date.now() - began;
    if (asked === 'nothing') {
      if (postmaster === undefined) signal(members, 'SIGTERM');
      else signal([postmaster], 'SIGINT');
      asked = 'to stop';
    } else if (asked === 'to stop' && waitedMs > politeMs) {
      signal(members, 'SIGQUIT');
      asked = 'to quit';
    } else if (waitedMs > patienceMs)
      throw new DataDirectoryInUse(
        `A former PostgreSQL (process ${members[0]}) does not leave ${dataDir}. End it, then start again.`,
      );
  }
}

/** Notes that this process runs the server on the data directory. The answer takes the note back. */
export function claimDirectory(dataDir: string): () => void {
  const file = ownerFile(dataDir);
  fs.writeFileSync(file, identityOf(process.pid) ?? String(process.pid));
  return () => fs.rmSync(file, { force: true });
}

/**
 * PostgreSQL's processes have their data directory as working directory, backends of a dead postmaster too. A shell that somebody opened there
 * is none of them.
 */
function processesIn(dataDir: string): number[] {
  const directory = fs.realpathSync(dataDir);
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/cwd`) === directory && isServer(pid);
      } catch {
        return false; // gone, or somebody else's
      }
    })
    .map(Number);
}

/** The binary may have been replaced under the running server, by another `npm ci`: the kernel says so after its name. */
const isServer = (pid: string): boolean =>
  /\/bin\/postgres( \(deleted\))?$/.test(fs.readlinkSync(`/proc/${pid}/exe`));

function postmasterOf(dataDir: string): number | undefined {
  try {
    return Number(fs.readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

const ownerFile = (dataDir: string): string => `${dataDir}.owner`;

/** The process that claimed the directory, if it still lives. */
function livingOwner(dataDir: string): number | undefined {
  try {
    return livingProcess(fs.readFileSync(ownerFile(dataDir), 'utf8'));
  } catch {
    return undefined;
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids)
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
