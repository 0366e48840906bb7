import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { writeAtomically } from '../state/secrets.ts';
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
 * Finds the place. A cluster that exists is used where it is, by the account it was made with. A new one is made in the wanted directory, or,
 * for root under a closed home, in the shared directory, under an id that is kept beside the wanted one: who removes that, or makes the
 * checkout again, does not meet the former data.
 */
export function findDataDirectory(wanted: string): DataDirectory {
  const directory = path.resolve(wanted);
  fs.mkdirSync(path.dirname(directory), { recursive: true });
  const isRoot = process.getuid?.() === 0;
  const ownerOf = (place: string): Account | undefined => {
    if (!isRoot) return undefined;
    const { uid, gid } = fs.statSync(path.join(place, 'PG_VERSION'));
    return { uid, gid };
  };
  if (isInitialised(directory)) return { path: directory, account: ownerOf(directory) };
  const shared = sharedPlace(directory);
  if (shared && !isRoot)
    throw new Error(`The data of this store are in ${shared}, made by root: start it as root.`);
  if (shared && isInitialised(shared)) return { path: shared, account: ownerOf(shared) };
  if (!isRoot) return { path: directory, account: undefined };
  if (isReachable(fs.realpathSync(path.dirname(directory))))
    return { path: directory, account: unprivileged() };
  makeShared(sharedDirectory);
  return { path: shared ?? newSharedPlace(directory), account: unprivileged() };
}

const idFile = (directory: string): string => `${directory}.cluster`;
const placeOf = (id: string): string => path.join(sharedDirectory, `data-${id}`);

function sharedPlace(directory: string): string | undefined {
  return fs.existsSync(idFile(directory))
    ? placeOf(fs.readFileSync(idFile(directory), 'utf8').trim())
    : undefined;
}

function newSharedPlace(directory: string): string {
  const id = randomUUID();
  writeAtomically(idFile(directory), `${id}\n`);
  return placeOf(id);
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
