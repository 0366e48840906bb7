import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { identityOf, livingProcess } from './process-identity.ts';

/** What asking for a lock answers: it is ours until released, or a living process holds it. */
export type LockAnswer = { readonly release: () => void } | { readonly holder: number };

/**
 * Takes a lock file for this process. The file appears with its content or not at all, so none is ever seen half-written; a lock whose
 * process is gone (kill -9) is taken over, by one of those who try.
 */
export function takeLock(file: string): LockAnswer {
  const mine = `${identityOf(process.pid) ?? process.pid} ${randomUUID()}`;
  const draft = `${file}.${process.pid}.${randomUUID()}`;
  fs.writeFileSync(draft, mine, { flag: 'wx' });
  try {
    for (;;) {
      try {
        fs.linkSync(draft, file);
        return { release: () => void (readIfThere(file) === mine && fs.rmSync(file, { force: true })) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const noted = readIfThere(file);
      if (noted === undefined) continue; // given back meanwhile
      const holder = livingProcess(noted.split(' ').slice(0, -1).join(' '));
      if (holder !== undefined) return { holder };
      removeIfStill(file, noted, draft);
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Removes the file if it still says `noted`; what another has put there meanwhile goes back. */
function removeIfStill(file: string, noted: string, draft: string): void {
  const aside = `${draft}.old`;
  try {
    fs.renameSync(file, aside);
    if (fs.readFileSync(aside, 'utf8') !== noted) fs.linkSync(aside, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error; // another was quicker: the next round sees whom
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
