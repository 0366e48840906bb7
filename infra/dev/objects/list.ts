import type { StoredObject } from './store.ts';

export interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  /** Names up to and including this one are left out. */
  readonly after: string;
  readonly maxKeys: number;
}

export interface Listing {
  readonly objects: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  readonly isTruncated: boolean;
  /** Last name on this page, key or common prefix: the next page starts after it. */
  readonly last: string;
}

/** One page in S3's order (bytes of UTF-8): keys under `prefix`, those with `delimiter` further on folded into common prefixes. */
export function listObjects(all: Iterable<StoredObject>, query: ListQuery): Listing {
  const objects: StoredObject[] = [];
  const commonPrefixes: string[] = [];
  let last = '';
  const sorted = [...all]
    .filter((object) => object.key.startsWith(query.prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  for (const object of sorted) {
    const at = query.delimiter ? object.key.indexOf(query.delimiter, query.prefix.length) : -1;
    const name = at < 0 ? object.key : object.key.slice(0, at + query.delimiter.length);
    const isCommon = at >= 0;
    if (isCommon && name === commonPrefixes.at(-1)) continue;
    if (
      query.after &&
      (Buffer.compare(Buffer.from(name), Buffer.from(query.after)) <= 0 ||
        (isCommon && query.after.startsWith(name)))
    )
      continue;
    if (objects.length + commonPrefixes.length >= query.maxKeys)
      return { objects, commonPrefixes, isTruncated: query.maxKeys > 0, last };
    if (isCommon) commonPrefixes.push(name);
    else objects.push(object);
    last = name;
  }
  return { objects, commonPrefixes, isTruncated: false, last };
}
