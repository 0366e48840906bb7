import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './s3-error.ts';
import type { StoredObject } from './store.ts';

/** Conditions (RFC 9110 §13) that are offered; any other is refused, since ignoring one would do what its sender ruled out. */
const offered: Readonly<Record<string, readonly string[]>> = {
  GET: ['if-match', 'if-none-match'],
  HEAD: ['if-match', 'if-none-match'],
  PUT: ['if-none-match'],
};

const conditions = /^(x-amz-copy-source-)?if-/;

/** Throws NotImplemented for a condition that this server would not keep. */
export function requireOffered(method: string, headers: IncomingHttpHeaders): void {
  for (const name of Object.keys(headers))
    if (conditions.test(name) && !offered[method]?.includes(name))
      throw new S3Error('NotImplemented', `The condition ${name} is not offered for ${method}.`);
  if (method === 'PUT' && ![undefined, '*'].includes(headers['if-none-match']))
    throw new S3Error('NotImplemented', 'A PUT may say If-None-Match: * only.');
}

/** What a reader's conditions make of an object; throws PreconditionFailed. */
export function readCondition(headers: IncomingHttpHeaders, object: StoredObject): 'send' | 'not modified' {
  if (headers['if-match'] !== undefined && !names(headers['if-match'], object))
    throw new S3Error('PreconditionFailed');
  return names(headers['if-none-match'], object) ? 'not modified' : 'send';
}

/** Tags compare weakly: the bytes are what counts here. */
const names = (header: string | undefined, { etag }: StoredObject): boolean =>
  header !== undefined &&
  header.split(',').some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '').replaceAll('"', '')));
