import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '@agentstore/kernel/log';
import { requireOffered } from './conditions.ts';
import { createMultipart } from './multipart.ts';
import { parseTarget } from './request.ts';
import { send } from './respond.ts';
import { route } from './router.ts';
import { S3Error } from './s3-error.ts';
import { verifySignature } from './signature.ts';
import { openStore } from './store.ts';
import { errorXml } from './xml.ts';

export interface ObjectsOptions {
  /** Folder that holds all buckets; made when it is not there. One server per folder. */
  readonly dir: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Made at start when they are not there. */
  readonly buckets?: readonly string[];
  readonly log: Log;
  /** Milliseconds since 1970, for tests of expiry; default the clock. */
  readonly now?: () => number;
}

/** A running dev S3 server on 127.0.0.1, in the words of the minio client's options. */
export interface Objects {
  readonly url: string;
  readonly endPoint: string;
  readonly port: number;
  /** Lets answers under way end for up to two seconds. */
  stop(): Promise<void>;
}

/** Starts the dev S3. Every request but a CORS preflight must carry a valid Signature V4; there is no anonymous access. */
export async function startObjects(options: ObjectsOptions): Promise<Objects> {
  const region = options.region ?? 'us-east-1';
  const now = options.now ?? Date.now;
  const store = await openStore(options.dir);
  for (const bucket of options.buckets ?? []) if (!store.hasBucket(bucket)) await store.createBucket(bucket);
  const services = { store, multipart: createMultipart(store), region };

  async function answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const requestId = randomUUID();
    outgoing.setHeader('x-amz-request-id', requestId);
    outgoing.setHeader('server', 'agentstore-objects');
    allowBrowsers(incoming, outgoing);
    const target = incoming.url ?? '/';
    const method = incoming.method ?? 'GET';
    const isHead = method === 'HEAD';
    try {
      if (method === 'OPTIONS') return await send({ status: 204 }, { outgoing, isHead });
      const credentials = { accessKey: options.accessKey, secretKey: options.secretKey, region };
      const bodySha256 = verifySignature(
        { method, target, headers: incoming.headers },
        credentials,
        new Date(now()),
      );
      requireOffered(method, incoming.headers);
      const request = { incoming, method, ...parseTarget(target), bodySha256 };
      await send(await route(request)(services, request), { outgoing, isHead });
    } catch (error) {
      const refusal = error instanceof S3Error ? error : new S3Error('InternalError');
      // A client that went away in the middle of its body or of our answer is not a fault.
      if (refusal.code === 'InternalError' && !incoming.destroyed)
        options.log.error({ err: error, method, target: target.split('?')[0] }, 'request failed');
      if (outgoing.headersSent) return void outgoing.destroy();
      incoming.resume(); // or the client would still be sending when it should read
      const body = errorXml({
        Code: refusal.code,
        Message: refusal.message,
        Resource: target.split('?')[0]!,
        RequestId: requestId,
      });
      await send({ status: refusal.status, body }, { outgoing, isHead });
    }
  }

  const server = http.createServer(
    { keepAliveTimeout: 30_000, requestTimeout: 10 * 60_000 },
    (incoming, outgoing) => void answer(incoming, outgoing),
  );
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve),
  );
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  options.log.info({ url, buckets: store.buckets().length }, 'object storage is up');
  return {
    url,
    endPoint: '127.0.0.1',
    port,
    stop: () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), 2_000);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** Browsers upload with presigned URLs from any origin; the signature, not the origin, is what lets them in. */
function allowBrowsers(incoming: http.IncomingMessage, outgoing: http.ServerResponse): void {
  const { origin } = incoming.headers;
  if (!origin) return;
  outgoing.setHeader('access-control-allow-origin', origin);
  outgoing.setHeader('vary', 'Origin');
  outgoing.setHeader('access-control-expose-headers', 'ETag, Content-Range, x-amz-request-id');
  if (incoming.method !== 'OPTIONS') return;
  outgoing.setHeader('access-control-allow-methods', 'GET, HEAD, PUT, POST, DELETE');
  outgoing.setHeader(
    'access-control-allow-headers',
    incoming.headers['access-control-request-headers'] ?? '*',
  );
  outgoing.setHeader('access-control-max-age', '600');
}
