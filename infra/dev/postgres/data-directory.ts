import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {
  environment,
  isReachable,
  makeShared,
  sharedDirectory,
  unprivileged,
  type Account,
} from './binaries.ts';

/** A data directory that the server's account can use. */
export interface DataDirectory {
  readonly path: string;
  /** Account to run the server as; undefined for the ordinary user we are. */
  readonly account: Account | undefined;
}

/**
 * Finds the place: the wanted one, or, for root under a closed home, one in the shared directory that belongs to the wanted one alone. A cluster
 * that exists keeps the account it was made with.
 */
export function findDataDirectory(wanted: string): DataDirectory {
  let directory = path.resolve(wanted);
  fs.mkdirSync(path.dirname(directory), { recursive: true });
  if (process.getuid?.() !== 0) return { path: directory, account: undefined };
  if (!isReachable(fs.realpathSync(path.dirname(directory)))) {
    makeShared(sharedDirectory);
    const mark = createHash('sha256').update(directory).digest('hex').slice(0, 16);
    directory = path.join(sharedDirectory, `data-${mark}`);
  }
  if (!isInitialised(directory)) return { path: directory, account: unprivileged() };
  const { uid, gid } = fs.statSync(path.join(directory, 'PG_VERSION'));
  return { path: directory, account: { uid, gid } };
}

const isInitialised = (directory: string): boolean => fs.existsSync(path.join(directory, 'PG_VERSION'));

/**
 * Makes the cluster when there is none: in a directory beside it that is renamed when it is complete, so that a start killed halfway leaves
 * nothing that looks like a cluster. Answers the superuser's password, which is kept beside the data, readable by its owner alone.
 */
export function ensureCluster(data: DataDirectory, binaries: string, options: { durable: boolean }): string {
  const passwordFile = `${data.path}.password`;
  if (isInitialised(data.path)) {
    if (!fs.existsSync(passwordFile))
      throw new Error(`The password of the cluster in ${data.path} is missing (${passwordFile}).`);
    return fs.readFileSync(passwordFile, 'utf8');
  }
  const drafts = path.basename(`${data.path}.draft-`);
  for (const name of fs.readdirSync(path.dirname(data.path)))
    if (name.startsWith(drafts))
      fs.rmSync(path.join(path.dirname(data.path), name), { recursive: true, force: true });
  const draft = `${data.path}.draft-${randomBytes(4).toString('hex')}`;
  fs.mkdirSync(draft, { mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  fs.writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const owned of data.account ? [draft, passwordFile] : [])
    fs.chownSync(owned, data.account!.uid, data.account!.gid);
  const settings = [
    ['-D', draft, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8'],
    // The builtin provider sorts the same everywhere, whatever the host's locales and ICU.
    ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    options.durable ? [] : ['--no-sync'],
  ].flat();
  const made = spawnSync(path.join(binaries, 'bin/initdb'), settings, {
    ...data.account,
    cwd: '/',
    env: environment,
    encoding: 'utf8',
  });
  if (made.status !== 0) {
    fs.rmSync(draft, { recursive: true, force: true });
    throw new Error(`initdb failed for ${data.path}: ${made.error?.message ?? made.stderr}`);
  }
  fs.renameSync(draft, data.path);
  return password;
}
