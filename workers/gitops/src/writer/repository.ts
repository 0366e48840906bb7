import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import git, { type TreeEntry } from 'isomorphic-git';
import { branchLocks } from './branch-lock.ts';
import { durableFs } from './durable-fs.ts';

/** The branch is locked by somebody else (`refs/heads/<branch>.lock`), or moved since it was read. Try again. */
export class RefConflict extends Error {
  override readonly name = 'RefConflict';
  readonly code: 'REPOSITORY_LOCKED' | 'REF_MOVED';
  constructor(code: 'REPOSITORY_LOCKED' | 'REF_MOVED', message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Changes by path from the root: a file's new text, or what makes it of the text that is there (undefined while there is none); null removes the file, or
 * the whole folder when the path ends in `/`.
 */
export type FileChanges = ReadonlyMap<string, FileChange>;
type FileChange = string | null | ((before: string | undefined) => string);

/** Git's id of a text. */
export const blobIdOf = async (text: string): Promise<string> =>
  (await git.hashBlob({ object: Buffer.from(text) })).oid;

/** A bare Git repository, read and written without a work tree and without the git binary. */
export interface Repository {
  /** The branch's commit; undefined while it has none. */
  tip(): Promise<string | undefined>;
  /**
   * Commits changes on top of the tip and moves the branch by compare-and-swap. Answers the tip itself when they change nothing.
   * Only trees on changed paths are read and written. Throws RefConflict.
   */
  commit(
    changes: FileChanges,
    message: string,
    author: { name: string; email: string },
  ): Promise<{ commit: string; changed: boolean }>;
  /** Paths and texts of the files that differ between two commits; null for a removed one. */
  diff(from: string | undefined, to: string): Promise<Map<string, string | null>>;
  /** Whether the commit is in the repository. */
  has(commit: string): Promise<boolean>;
  /** Names of the files in a folder at the tip, with the ids of their contents (`blobIdOf`). */
  blobsIn(folder: string): Promise<ReadonlyMap<string, string>>;
  /** Takes away a lock that a former holder left behind; for whoever holds the branch's lease now. Answers whether there was one. */
  clearLocks(): Promise<boolean>;
  /** Newest first. */
  log(depth: number): Promise<{ commit: string; message: string }[]>;
}

const author = (who: { name: string; email: string }) => ({
  ...who,
  timestamp: Math.floor(Date.now() / 1_000),
  timezoneOffset: 0,
});

export async function openRepository(options: {
  directory: string;
  branch: string;
  /** A lock of somebody else that is older than this was left by a process that died. */
  staleLockMs?: number;
  /** Whose our locks are: the holder of the branch's lease. */
  holder?: string;
}): Promise<Repository> {
  const { directory: gitdir, branch } = options;
  const at = { fs: durableFs, gitdir };
  const ref = `refs/heads/${branch}`;
  if (!(await exists(path.join(gitdir, 'HEAD'))))
    await git.init({ ...at, bare: true, defaultBranch: branch });
  const cache = {};
  const locks = branchLocks({
    gitdir,
    ref,
    holder: options.holder ?? randomBytes(8).toString('hex'),
    staleLockMs: options.staleLockMs,
  });

  async function tip(): Promise<string | undefined> {
    try {
      return (await fs.readFile(path.join(gitdir, ref), 'utf8')).trim();
    } catch {
      return git.resolveRef({ ...at, ref }).catch(() => undefined); // packed by a gc of somebody else
    }
  }

  const treeOf = async (commit: string): Promise<string> =>
    (await git.readCommit({ ...at, oid: commit, cache })).commit.tree;
  const entriesOf = async (oid: string | undefined): Promise<TreeEntry[]> =>
    oid ? (await git.readTree({ ...at, oid, cache })).tree : [];

  const textOf = async (entry: TreeEntry | undefined): Promise<string | undefined> =>
    entry?.type === 'blob'
      ? Buffer.from((await git.readBlob({ ...at, oid: entry.oid, cache })).blob).toString()
      : undefined;

  /** The tree with the changes of its paths; undefined when nothing is left in it (Git has no empty folders). */
  async function writeTree(oid: string | undefined, changes: FileChanges): Promise<string | undefined> {
    const entries = new Map((await entriesOf(oid)).map((entry) => [entry.path, entry]));
    const below = new Map<string, Map<string, FileChange>>();
    for (const [file, content] of changes) {
      const [head, ...rest] = file.split('/');
      if (rest.length === 0) {
        if (content === null) entries.delete(head!);
        else {
          const text = typeof content === 'string' ? content : content(await textOf(entries.get(head!)));
          entries.set(head!, {
            mode: '100644',
            path: head!,
            type: 'blob',
            oid: await git.writeBlob({ ...at, blob: Buffer.from(text) }),
          });
        }
      } else if (rest.length === 1 && rest[0] === '') entries.delete(head!);
      else below.set(head!, (below.get(head!) ?? new Map<string, FileChange>()).set(rest.join('/'), content));
    }
    for (const [name, inside] of below) {
      const before = entries.get(name);
      const after = await writeTree(before?.type === 'tree' ? before.oid : undefined, inside);
      if (after) entries.set(name, { mode: '040000', path: name, type: 'tree', oid: after });
      else entries.delete(name);
    }
    return entries.size ? git.writeTree({ ...at, tree: [...entries.values()] }) : undefined;
  }

  async function moveBranch(from: string | undefined, to: string): Promise<void> {
    const lock = await locks.take(`${to}\n`);
    if (!lock) throw new RefConflict('REPOSITORY_LOCKED', `${ref} is locked`);
    try {
      if ((await tip()) !== from) throw new RefConflict('REF_MOVED', `${ref} is no longer at ${from}`);
      if (!(await lock.publish())) throw new RefConflict('REPOSITORY_LOCKED', `the lock of ${ref} was lost`);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async function collect(
    before: string | undefined,
    after: string | undefined,
    prefix: string,
    found: Map<string, string | null>,
  ): Promise<void> {
    if (before === after) return;
    const [old, now] = [
      new Map((await entriesOf(before)).map((e) => [e.path, e])),
      new Map((await entriesOf(after)).map((e) => [e.path, e])),
    ];
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      const [was, is] = [old.get(name), now.get(name)];
      if (was?.oid === is?.oid) continue;
      const treeOid = (entry: TreeEntry | undefined): string | undefined =>
        entry?.type === 'tree' ? entry.oid : undefined;
      if (was?.type === 'tree' || is?.type === 'tree')
        await collect(treeOid(was), treeOid(is), `${prefix}${name}/`, found);
      if (is?.type === 'blob') found.set(prefix + name, (await textOf(is))!);
      else if (was?.type === 'blob') found.set(prefix + name, null);
    }
  }

  return {
    tip,
    async commit(changes, message, who) {
      const parent = await tip();
      const before = parent ? await treeOf(parent) : undefined;
      const after = (await writeTree(before, changes)) ?? (await git.writeTree({ ...at, tree: [] }));
      if (parent && after === before) return { commit: parent, changed: false };
      const commit = await git.writeCommit({
        ...at,
        commit: {
          message,
          tree: after,
          parent: parent ? [parent] : [],
          author: author(who),
          committer: author({ name: 'Agent Store', email: 'gitops@agentstore.dev' }),
        },
      });
      await moveBranch(parent, commit);
      return { commit, changed: true };
    },
    async diff(from, to) {
      const found = new Map<string, string | null>();
      await collect(from ? await treeOf(from) : undefined, await treeOf(to), '', found);
      return found;
    },
    async has(commit) {
      return orNothing(() => git.readCommit({ ...at, oid: commit })).then((one) => one !== undefined);
    },
    async blobsIn(folder) {
      const parent = await tip();
      const tree =
        parent && (await orNothing(() => git.readTree({ ...at, oid: parent, filepath: folder, cache })));
      return new Map(
        (tree ? tree.tree : []).flatMap(({ type, path: name, oid }) =>
          type === 'blob' ? [[name, oid]] : [],
        ),
      );
    },
    clearLocks: () => locks.clearOthers(),
    async log(depth) {
      return (await git.log({ ...at, ref: branch, depth })).map(({ oid, commit }) => ({
        commit: oid,
        message: commit.message,
      }));
    },
  };
}

const exists = (file: string): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false,
  );

/** What is asked of the repository; undefined when there is no such thing in it. */
async function orNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if ((error as { code?: string }).code === 'NotFoundError') return undefined;
    throw error;
  }
}
