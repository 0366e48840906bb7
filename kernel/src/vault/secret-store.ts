import type { Uuid } from '../ids.ts';

/** Where the secret of a connector binding lies: `kv/data/connectors/{organizationId}/{projectId}/{bindingId}`. */
export interface SecretRef {
  readonly organizationId: Uuid;
  readonly projectId: Uuid;
  readonly bindingId: Uuid;
}

/** A secret as it was read. The values are bytes, so that whoever used them can overwrite them. */
export interface Secret {
  readonly version: number;
  readonly fields: ReadonlyMap<string, Buffer>;
}

/** The tool gateway's side of the secret store: reads, and can do nothing else. */
export interface SecretReader {
  /** Throws SecretStoreUnavailable, SecretDenied or SecretMissing. One call, one deadline; it does not cache. */
  read(ref: SecretRef): Promise<Secret>;
  /** Throws a sentence when the store is sealed or cannot be reached. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** The control plane's side: writes and removes, and can read nothing back. */
export interface SecretWriter {
  /** Writes version 1, or the one after `version`; answers the version written. Throws SecretConflict when another one was written meanwhile. */
  write(ref: SecretRef, fields: Readonly<Record<string, string>>, version: number): Promise<number>;
  /** Removes every version for good; one that is gone is removed already. */
  remove(ref: SecretRef): Promise<void>;
  close(): Promise<void>;
}

/** Sealed, too slow, unreachable, or a fault of its own. Nothing was read and there is no other place to read from. */
export class SecretStoreUnavailable extends Error {
  override readonly name = 'SecretStoreUnavailable';
}
/** The store's own policy refuses this path to this caller. */
export class SecretDenied extends Error {
  override readonly name = 'SecretDenied';
}
/** There is no such secret (any more). */
export class SecretMissing extends Error {
  override readonly name = 'SecretMissing';
}
/** Another version was written meanwhile. */
export class SecretConflict extends Error {
  override readonly name = 'SecretConflict';
}
