import type { Exchange } from './exchange.ts';
import type { KvSecret, KvVersion } from './state.ts';
import { invalid, notFound } from './vault-error.ts';

/** Vault's times have nanoseconds; ours are of milliseconds, in the same form. */
export const time = (now: number): string => new Date(now).toISOString();

export const newSecret = (now: string): KvSecret => ({
  createdTime: now,
  updatedTime: now,
  currentVersion: 0,
  oldestVersion: 0,
  maxVersions: 0,
  casRequired: false,
  customMetadata: null,
  versions: new Map(),
});

export const isReadable = (version: KvVersion): boolean => version.deletionTime === '' && !version.destroyed;

export const versionFacts = (secret: KvSecret, number: number, version: KvVersion): object => ({
  created_time: version.createdTime,
  custom_metadata: secret.customMetadata,
  deletion_time: version.deletionTime,
  destroyed: version.destroyed,
  version: number,
});

/** The version that the query names, or the current one. Throws when there is none. */
export function versionAsked(
  secret: KvSecret | undefined,
  { query }: Exchange,
): { facts: object; version: KvVersion } {
  const asked = Number(query.get('version') ?? 0);
  if (!Number.isSafeInteger(asked))
    throw invalid('Field validation failed: error converting input for field "version": cannot parse as int');
  const number = asked > 0 ? asked : (secret?.currentVersion ?? 0);
  const version = secret?.versions.get(number);
  if (!secret || !version) throw notFound();
  return { facts: versionFacts(secret, number, version), version };
}
