import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRepository, RefConflict, type Repository } from './repository.ts';

const directories: string[] = [];
let directory: string;
let repository: Repository;
const who = { name: 'Test', email: 'test@example.test' };
beforeEach(async () => {
  directory = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'repository-')), 'bare.git');
  directories.push(path.dirname(directory));
  repository = await openRepository({ directory, branch: 'main' });
});
afterAll(() => directories.forEach((one) => fs.rmSync(one, { recursive: true })));

const write = (files: Record<string, string | null>, message = 'change') =>
  repository.commit(new Map(Object.entries(files)), message, who);
const lock = () => path.join(directory, 'refs/heads/main.lock');

describe('a bare repository', () => {
  it('has what was committed, folder by folder, and says what differs between two commits', async () => {
    const first = await write({ 'clusters/dev/a/x.yaml': '1', 'clusters/dev/b/x.yaml': '1' });
    const second = await write({ 'clusters/dev/a/x.yaml': '2', 'clusters/dev/b/': null });
    expect(await repository.diff(undefined, first.commit)).toEqual(
      new Map([
        ['clusters/dev/a/x.yaml', '1'],
        ['clusters/dev/b/x.yaml', '1'],
      ]),
    );
    expect(await repository.diff(first.commit, second.commit)).toEqual(
      new Map([
        ['clusters/dev/a/x.yaml', '2'],
        ['clusters/dev/b/x.yaml', null],
      ]),
    );
    expect((await repository.log(9)).map(({ commit }) => commit)).toEqual([second.commit, first.commit]);
  });

  it('makes no commit when nothing changes, so a replay is harmless', async () => {
    const { commit } = await write({ 'a/b.yaml': 'same' });
    expect(await write({ 'a/b.yaml': 'same' })).toEqual({ commit, changed: false });
  });

  it('loses nothing when two writers race: one is told that the branch moved', async () => {
    await write({ seed: '0' });
    const other = await openRepository({ directory, branch: 'main' });
    const persist = async (which: Repository, name: string): Promise<void> => {
      for (;;) {
        try {
          return void (await which.commit(new Map([[`files/${name}`, name]]), name, who));
        } catch (error) {
          if (!(error instanceof RefConflict)) throw error;
        }
      }
    };
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        Promise.all([persist(repository, `a${index}`), persist(other, `b${index}`)]),
      ),
    );
    expect(
      [...(await repository.diff(undefined, (await repository.tip())!)).keys()].filter((file) =>
        file.startsWith('files/'),
      ),
    ).toHaveLength(20);
    expect(await repository.log(99)).toHaveLength(21);
  });

  it('waits for a lock that somebody holds, and takes over one that was left behind', async () => {
    await write({ a: '1' });
    fs.writeFileSync(lock(), '');
    await expect(write({ a: '2' })).rejects.toMatchObject({ code: 'REPOSITORY_LOCKED' });
    fs.rmSync(lock());
    expect((await write({ a: '2' })).changed).toBe(true);
    const impatient = await openRepository({ directory, branch: 'main', staleLockMs: 1_000 });
    fs.writeFileSync(lock(), '');
    fs.utimesSync(lock(), new Date(0), new Date(0));
    await expect(impatient.commit(new Map([['a', '3']]), 'x', who)).rejects.toMatchObject({
      code: 'REPOSITORY_LOCKED',
    });
    expect((await impatient.commit(new Map([['a', '3']]), 'x', who)).changed).toBe(true);
  });

  it('keeps a lock that is new though it looked stale a moment ago', async () => {
    await write({ a: '1' });
    const impatient = await openRepository({ directory, branch: 'main', staleLockMs: 1_000 });
    fs.writeFileSync(lock(), 'theirs');
    fs.utimesSync(lock(), new Date(0), new Date(0));
    // Between the look at the old lock and its removal its holder comes back, moves the branch, and somebody else takes the lock.
    let taken = false;
    const rename = vi.spyOn(fs.promises, 'rename').mockImplementation(async (from, to) => {
      if (from === lock() && !taken) {
        taken = true;
        fs.rmSync(lock());
        fs.writeFileSync(lock(), 'of somebody else');
      }
      fs.renameSync(from, to);
    });
    await expect(impatient.commit(new Map([['a', '3']]), 'x', who)).rejects.toMatchObject({
      code: 'REPOSITORY_LOCKED',
    });
    rename.mockRestore();
    expect(taken).toBe(true);
    expect(fs.readFileSync(lock(), 'utf8')).toBe('of somebody else');
  });

  it('is asked again when a lock goes away while it is looked at', async () => {
    const stat = vi.spyOn(fs.promises, 'stat');
    const impatient = await openRepository({ directory, branch: 'main', staleLockMs: 1_000 });
    fs.mkdirSync(path.dirname(lock()), { recursive: true });
    fs.writeFileSync(lock(), '');
    stat.mockImplementation(async (file, ...more) => {
      if (file === lock()) fs.rmSync(lock(), { force: true });
      return fs.statSync(file, ...(more as []));
    });
    const attempt = impatient.commit(new Map([['a', '3']]), 'x', who);
    await expect(attempt).rejects.toMatchObject({ code: 'REPOSITORY_LOCKED' });
    stat.mockRestore();
    expect((await impatient.commit(new Map([['a', '3']]), 'x', who)).changed).toBe(true);
  });

  it('clears at once what a holder that was killed left, and nothing of anybody else', async () => {
    await write({ a: '1' });
    const killed = await openRepository({ directory, branch: 'main', holder: 'killed' });
    const heir = await openRepository({ directory, branch: 'main', holder: 'heir' });
    // Killed with the lock in its hands, before the branch moved.
    const rename = vi.spyOn(fs.promises, 'rename').mockImplementation(async (from, to) => {
      if (from === lock()) await new Promise(() => undefined);
      fs.renameSync(from, to);
    });
    void killed.commit(new Map([['a', '2']]), 'x', who);
    await expect.poll(() => fs.existsSync(lock())).toBe(true);
    rename.mockRestore();
    await expect(heir.commit(new Map([['a', '3']]), 'x', who)).rejects.toMatchObject({
      code: 'REPOSITORY_LOCKED',
    });
    expect(await heir.clearLocks()).toBe(true);
    expect((await heir.commit(new Map([['a', '3']]), 'x', who)).changed).toBe(true);
    fs.writeFileSync(lock(), ''); // git's own, by hand
    expect(await heir.clearLocks()).toBe(false);
    expect(fs.existsSync(lock())).toBe(true);
  });

  it("is sound in git's own eyes", async () => {
    const { commit } = await write(
      { 'a/b/c.yaml': 'x', 'a/d.yaml': 'y' },
      'provision(dev): 1 instance [1 org]\n\nInstance: i@1\n',
    );
    const git = (...words: string[]) =>
      spawnSync('git', ['--git-dir', directory, ...words], { encoding: 'utf8' });
    const fsck = git('fsck', '--strict');
    const absent = fsck.error !== undefined;
    if (absent)
      process.stderr.write(
        'git is not on this machine: the repository was checked by isomorphic-git alone\n',
      );
    expect(absent || [fsck.status, fsck.stdout].join()).toBe(absent || '0,');
    expect(absent ? await repository.tip() : git('rev-parse', 'main').stdout.trim()).toBe(commit);
  });
});
