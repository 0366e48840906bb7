import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';

/** A lock that was taken, with the content the branch is to have. */
export interface BranchLock {
  /** Makes the locked content the branch's; false when the lock was taken away meanwhile. */
  publish(): Promise<boolean>;
  /** Gives the lock back when it was not published. */
  release(): Promise<void>;
}

/**
 * Git's own lock of a branch (`refs/heads/<branch>.lock`), with our mark. The lock is a hard link to a file under `agentstore/locks/` that is named
 * after its holder and already holds the new commit: whoever finds a lock sees by its inode whose it is, at whatever moment the holder died.
 */
export function branchLocks(options: {
  gitdir: string;
  ref: string;
  holder: string;
  staleLockMs?: number | undefined;
}) {
  const { gitdir, holder } = options;
  const file = path.join(gitdir, options.ref);
  const lock = `${file}.lock`;
  const marks = path.join(gitdir, 'agentstore/locks', encodeURIComponent(options.ref));

  /** The lock on the branch; undefined while somebody else has it. */
  async function take(content: string): Promise<BranchLock | undefined> {
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.mkdir(marks, { recursive: true });
    const mark = path.join(marks, `${holder}.${randomBytes(6).toString('hex')}`);
    const handle = await fs.open(mark, 'wx', 0o644);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const { ino } = await fs.stat(mark);
    const isOurs = async (): Promise<boolean> => (await statOf(lock))?.ino === ino;
    const forget = (): Promise<void> => fs.rm(mark, { force: true });
    if (!(await linked(mark, lock))) {
      await forget();
      await takeOverStale();
      return undefined;
    }
    return {
      async publish() {
        const ours = await isOurs();
        if (ours) await fs.rename(lock, file);
        await forget();
        return ours;
      },
      async release() {
        if (await isOurs()) await fs.rm(lock, { force: true });
        await forget();
      },
    };
  }

  /** Takes away a lock that nobody can have any more by its age; the next attempt then finds the branch free. */
  async function takeOverStale(): Promise<void> {
    const found = await statOf(lock);
    if (found && options.staleLockMs !== undefined && Date.now() - found.mtimeMs > options.staleLockMs)
      await remove(found);
  }

  /** Takes away a lock and the marks of our other holders: for whoever has got the lease, since those lost it. Answers whether a lock went. */
  async function clearOthers(): Promise<boolean> {
    let cleared = false;
    for (const name of await fs.readdir(marks).catch(() => [])) {
      if (name.startsWith(`${holder}.`)) continue;
      const mark = path.join(marks, name);
      const [left, found] = [await statOf(mark), await statOf(lock)];
      if (left && found && left.ino === found.ino) cleared = (await remove(found)) || cleared;
      await fs.rm(mark, { force: true });
    }
    return cleared;
  }

  /** Removes the lock that was looked at, and no other one that took its place since: renamed aside first, and put back when it is not the one. */
  async function remove(seen: { ino: number; mtimeMs: number }): Promise<boolean> {
    const aside = path.join(marks, `${holder}.${randomBytes(6).toString('hex')}.aside`);
    await fs.mkdir(marks, { recursive: true });
    try {
      await fs.rename(lock, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    const moved = await statOf(aside);
    const same = moved?.ino === seen.ino && moved.mtimeMs === seen.mtimeMs;
    if (!same) await linked(aside, lock);
    await fs.rm(aside, { force: true });
    return same;
  }

  return { take, clearOthers };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function statOf(file: string): Promise<{ ino: number; mtimeMs: number } | undefined> {
  try {
    return await fs.stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
