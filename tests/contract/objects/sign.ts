import { createHash, createHmac } from 'node:crypto';

/** What both forms of Signature V4 cover, besides headers of the caller's choice. */
interface Signing {
  readonly url: string;
  readonly method: string;
  /** `/bucket/key`, escaped. */
  readonly path: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Default now. */
  readonly date?: Date;
}

const region = 'us-east-1';
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** A presigned URL with more signed headers than the minio client can sign (it leaves content-length out). */
export function presign(
  o: Signing & { headers?: Readonly<Record<string, string>>; expiresSeconds: number },
): string {
  const { date, scope } = when(o);
  const signed = { host: new URL(o.url).host, ...o.headers };
  const query = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${o.accessKey}/${scope}`],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', String(o.expiresSeconds)],
    ['X-Amz-SignedHeaders', Object.keys(signed).sort().join(';')],
  ]
    .map((pair) => pair.map((text) => encodeURIComponent(text)).join('='))
    .join('&');
  return `${o.url}${o.path}?${query}&X-Amz-Signature=${signature(o, { query, signed, payload: 'UNSIGNED-PAYLOAD' })}`;
}

/** Headers of a signed request whose body has this digest, or is left unsigned. */
export function signHeaders(o: Signing & { sha256: string }): Record<string, string> {
  const { date, scope } = when(o);
  const own = { 'x-amz-content-sha256': o.sha256, 'x-amz-date': date };
  const signed = { host: new URL(o.url).host, ...own };
  const names = Object.keys(signed).sort().join(';');
  const made = signature(o, { query: '', signed, payload: o.sha256 });
  return {
    ...own,
    authorization: `AWS4-HMAC-SHA256 Credential=${o.accessKey}/${scope}, SignedHeaders=${names}, Signature=${made}`,
  };
}

function when(o: Signing): { date: string; day: string; scope: string } {
  const date = (o.date ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = date.slice(0, 8);
  return { date, day, scope: `${day}/${region}/s3/aws4_request` };
}

function signature(
  o: Signing,
  what: { query: string; signed: Readonly<Record<string, string>>; payload: string },
): string {
  const { date, day, scope } = when(o);
  const names = Object.keys(what.signed).sort();
  const headers = names.map((name) => `${name}:${what.signed[name]}`);
  const canonical = [o.method, o.path, what.query, ...headers, '', names.join(';'), what.payload].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${o.secretKey}`, day), region), 's3'), 'aws4_request');
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  return hmac(key, text).toString('hex');
}
