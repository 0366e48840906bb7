import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { S3Error } from './s3-error.ts';

/** The one key pair this server knows, and its region. */
export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** What of a request its signature covers. `headers` have lower-case names, as node:http gives them. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as received. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

const algorithm = 'AWS4-HMAC-SHA256';
const maxSkewMs = 15 * 60_000;
/** Seven days, S3's own bound, in seconds. */
const maxExpiry = 604_800;

/**
 * Checks Signature Version 4 in the Authorization header or in a presigned URL; throws an `S3Error` when it does not hold. Answers the SHA-256
 * (hex) that the body must have, or undefined when the signer left the body out (`UNSIGNED-PAYLOAD`, all presigned URLs).
 */
export function verifySignature(
  request: SignedRequest,
  credentials: Credentials,
  now: Date,
): string | undefined {
  const query = parseQuery(queryOf(request.target));
  const authorization = header(request, 'authorization');
  if (authorization !== undefined) return verifyHeader(request, { authorization, query, credentials, now });
  if (query.some(([name]) => name === 'X-Amz-Signature'))
    return verifyPresigned(request, { query, credentials, now });
  throw new S3Error('AccessDenied');
}

type Query = readonly (readonly [name: string, value: string])[];

function verifyHeader(
  request: SignedRequest,
  o: { authorization: string; query: Query; credentials: Credentials; now: Date },
): string | undefined {
  const parts =
    /^AWS4-HMAC-SHA256 +Credential=([^,]+), *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})$/.exec(
      o.authorization,
    );
  if (!parts) throw new S3Error('AuthorizationHeaderMalformed');
  const [, credential, signedHeaders, signature] = parts as unknown as [string, string, string, string];
  const scope = readScope(credential, o.credentials, 'AuthorizationHeaderMalformed');
  const date = header(request, 'x-amz-date') ?? '';
  if (Math.abs(readDate(date) - o.now.getTime()) > maxSkewMs) throw new S3Error('RequestTimeTooSkewed');
  const payload = header(request, 'x-amz-content-sha256');
  if (payload === undefined) throw new S3Error('InvalidArgument', 'x-amz-content-sha256 is missing.');
  if (payload.startsWith('STREAMING-'))
    throw new S3Error('NotImplemented', 'Signed chunks are not offered; sign the whole body.');
  if (payload !== 'UNSIGNED-PAYLOAD' && !/^[0-9a-f]{64}$/.test(payload))
    throw new S3Error('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a SHA-256.');
  check(request, { ...o, scope, date, signedHeaders, signature, payload });
  return payload === 'UNSIGNED-PAYLOAD' ? undefined : payload;
}

function verifyPresigned(
  request: SignedRequest,
  o: { query: Query; credentials: Credentials; now: Date },
): undefined {
  const value = (name: string): string => {
    const found = o.query.filter(([key]) => key === name);
    if (found.length !== 1)
      throw new S3Error('AuthorizationQueryParametersError', `${name} must be there once.`);
    return found[0]![1];
  };
  if (value('X-Amz-Algorithm') !== algorithm)
    throw new S3Error('AuthorizationQueryParametersError', `X-Amz-Algorithm must be ${algorithm}.`);
  const scope = readScope(value('X-Amz-Credential'), o.credentials, 'AuthorizationQueryParametersError');
  const date = value('X-Amz-Date');
  const expiry = value('X-Amz-Expires');
  if (!/^\d{1,7}$/.test(expiry) || Number(expiry) < 1 || Number(expiry) > maxExpiry)
    throw new S3Error(
      'AuthorizationQueryParametersError',
      `X-Amz-Expires must be 1 to ${maxExpiry} seconds.`,
    );
  const signed = readDate(date);
  if (signed - o.now.getTime() > maxSkewMs) throw new S3Error('AccessDenied', 'Request is not valid yet');
  if (o.now.getTime() > signed + Number(expiry) * 1_000)
    throw new S3Error('AccessDenied', 'Request has expired');
  check(request, {
    ...o,
    query: o.query.filter(([name]) => name !== 'X-Amz-Signature'),
    scope,
    date,
    signedHeaders: value('X-Amz-SignedHeaders'),
    signature: value('X-Amz-Signature'),
    payload: 'UNSIGNED-PAYLOAD',
  });
}

interface Claim {
  readonly query: Query;
  readonly credentials: Credentials;
  readonly scope: Scope;
  readonly date: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly payload: string;
}

function check(request: SignedRequest, claim: Claim): void {
  const names = claim.signedHeaders.split(';');
  if (!names.includes('host')) throw new S3Error('AccessDenied', 'The host header must be signed.');
  const unsigned = Object.keys(request.headers).filter(
    (name) => name.startsWith('x-amz-') && !names.includes(name),
  );
  if (unsigned.length)
    throw new S3Error(
      'AccessDenied',
      `There were headers present in the request which were not signed: ${unsigned.join(', ')}`,
    );
  if (!claim.date.startsWith(claim.scope.day)) throw new S3Error('SignatureDoesNotMatch');
  const canonical = [
    request.method,
    canonicalPath(pathOf(request.target)),
    claim.query
      .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
      .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
      .map(([name, value]) => `${name}=${value}`)
      .join('&'),
    ...names.map((name) => `${name}:${(header(request, name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    claim.signedHeaders,
    claim.payload,
  ].join('\n');
  const scope = `${claim.scope.day}/${claim.scope.region}/s3/aws4_request`;
  const text = [algorithm, claim.date, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const expected = hmac(signingKey(claim.credentials.secretKey, claim.scope), text).toString('hex');
  const given = Buffer.from(claim.signature);
  if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected)))
    throw new S3Error('SignatureDoesNotMatch');
}

interface Scope {
  readonly day: string;
  readonly region: string;
}

function readScope(
  credential: string,
  known: Credentials,
  malformed: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError',
): Scope {
  const parts = /^(.+)\/(\d{8})\/([^/]+)\/s3\/aws4_request$/.exec(credential);
  if (!parts) throw new S3Error(malformed);
  const [, accessKey, day, region] = parts as unknown as [string, string, string, string];
  if (accessKey !== known.accessKey) throw new S3Error('InvalidAccessKeyId');
  if (region !== known.region)
    throw new S3Error(malformed, `The region '${region}' is wrong; expecting '${known.region}'`);
  return { day, region };
}

function readDate(text: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const time = parts
    ? Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`)
    : Number.NaN;
  if (Number.isNaN(time))
    throw new S3Error('AccessDenied', 'The request needs a date of the form 20260131T235959Z.');
  return time;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const signingKey = (secretKey: string, { day, region }: Scope): Buffer =>
  hmac(hmac(hmac(hmac(`AWS4${secretKey}`, day), region), 's3'), 'aws4_request');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** RFC 3986, as Signature Version 4 wants it: everything but the unreserved characters is escaped. */
const uriEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const canonicalPath = (path: string): string =>
  path
    .split('/')
    .map((segment) => uriEncode(decode(segment)))
    .join('/');

function header(request: SignedRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Percent-decodes; throws `InvalidURI` on a broken escape. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI');
  }
}

export const pathOf = (target: string): string => target.split('?', 1)[0]!;
const queryOf = (target: string): string => target.slice(pathOf(target).length + 1);

function parseQuery(query: string): Query {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0
        ? ([decode(pair), ''] as const)
        : ([decode(pair.slice(0, at)), decode(pair.slice(at + 1))] as const);
    });
}
