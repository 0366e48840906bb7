import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Client, CopyDestinationOptions, CopySourceOptions, type BucketItem } from 'minio';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Document } from '@agentstore/rag/documents/document';
import { openDocumentStorage } from '@agentstore/rag/documents/document-storage';
import { presign, signHeaders } from './sign.ts';

/** A running S3 server as its clients see it. */
export interface ObjectsUnderTest {
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/**
 * What the store expects of any S3 server, through the minio client and through plain fetch on presigned URLs. `dev` says which cases hold for
 * the dev server only, because the real one is configured for them otherwise.
 */
export function objectsCases(name: string, subject: () => ObjectsUnderTest, options: { dev: boolean }): void {
  describe(`${name}`, () => {
    const bucket = `contract-${randomUUID().slice(0, 8)}`;
    let client: Client;
    const connect = (change: Partial<{ accessKey: string; secretKey: string }> = {}): Client => {
      const { url, accessKey, secretKey } = subject();
      const { hostname, port } = new URL(url);
      return new Client({
        endPoint: hostname,
        port: Number(port),
        useSSL: false,
        region: 'us-east-1',
        accessKey,
        secretKey,
        ...change,
      });
    };
    const codeOf = async (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => 'OK',
        (error: { code?: string }) => error.code ?? 'no S3 error',
      );
    const answerOf = async (response: Response): Promise<[number, string]> => [
      response.status,
      /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? '',
    ];
    const read = async (key: string): Promise<Buffer> => buffer(await client.getObject(bucket, key));
    const list = async (prefix: string, recursive: boolean): Promise<BucketItem[]> => {
      const items: BucketItem[] = [];
      for await (const item of client.listObjectsV2(bucket, prefix, recursive))
        items.push(item as BucketItem);
      return items;
    };

    beforeAll(async () => {
      client = connect();
      await client.makeBucket(bucket);
    });

    it('makes a bucket once, finds it and says when there is none', async () => {
      expect(await client.bucketExists(bucket)).toBe(true);
      expect(await client.bucketExists(`${bucket}-not`)).toBe(false);
      expect(await codeOf(client.makeBucket(bucket))).toBe('BucketAlreadyOwnedByYou');
      expect(await codeOf(client.putObject(`${bucket}-not`, 'a', 'b'))).toBe('NoSuchBucket');
    });

    it('keeps bytes, type and metadata under any key, and gives them back', async () => {
      for (const key of [
        'plain.json',
        'deep/er/ünïcode & "quotes"/file (1)+~*.json',
        `long/${'k'.repeat(200)}`,
      ]) {
        const bytes = randomBytes(3_000);
        const { etag } = await client.putObject(bucket, key, bytes, bytes.length, {
          'Content-Type': 'application/json',
          'X-Amz-Meta-Sha256': 'abc',
        });
        expect(etag).toBe(createHash('md5').update(bytes).digest('hex'));
        const stat = await client.statObject(bucket, key);
        expect(stat).toMatchObject({
          size: 3_000,
          etag,
          metaData: { 'content-type': 'application/json', sha256: 'abc' },
        });
        expect(await read(key)).toEqual(bytes);
      }
    });

    it('replaces an object whole, and an empty one is an object', async () => {
      await client.putObject(bucket, 'again', 'first and longer');
      await client.putObject(bucket, 'again', 'second');
      expect(String(await read('again'))).toBe('second');
      await client.putObject(bucket, 'empty', '');
      expect((await client.statObject(bucket, 'empty')).size).toBe(0);
      expect(await read('empty')).toHaveLength(0);
    });

    it('answers NoSuchKey, and deletes what is there or not', async () => {
      expect(await codeOf(client.getObject(bucket, 'nowhere'))).toBe('NoSuchKey');
      expect(await codeOf(client.statObject(bucket, 'nowhere'))).toBe('NotFound');
      await client.putObject(bucket, 'doomed', 'x');
      await client.removeObject(bucket, 'doomed');
      await client.removeObject(bucket, 'doomed');
      expect(await codeOf(client.getObject(bucket, 'doomed'))).toBe('NoSuchKey');
    });

    it('reads ranges', async () => {
      await client.putObject(bucket, 'range', '0123456789');
      expect(String(await buffer(await client.getPartialObject(bucket, 'range', 2, 3)))).toBe('234');
      expect(String(await buffer(await client.getPartialObject(bucket, 'range', 7)))).toBe('789');
      const url = await client.presignedGetObject(bucket, 'range', 60);
      const tail = await fetch(url, { headers: { range: 'bytes=-4' } });
      expect([tail.status, tail.headers.get('content-range'), await tail.text()]).toEqual([
        206,
        'bytes 6-9/10',
        '6789',
      ]);
      expect(await answerOf(await fetch(url, { headers: { range: 'bytes=10-' } }))).toEqual([
        416,
        'InvalidRange',
      ]);
    });

    it('copies, keeping the metadata or replacing it', async () => {
      await client.putObject(bucket, 'source', 'copied', 6, {
        'X-Amz-Meta-Kind': 'old',
        'Content-Type': 'text/plain',
      });
      await client.copyObject(
        new CopySourceOptions({ Bucket: bucket, Object: 'source' }),
        new CopyDestinationOptions({ Bucket: bucket, Object: 'to/kept' }),
      );
      expect(String(await read('to/kept'))).toBe('copied');
      expect((await client.statObject(bucket, 'to/kept')).metaData).toMatchObject({
        kind: 'old',
        'content-type': 'text/plain',
      });
      await client.copyObject(
        new CopySourceOptions({ Bucket: bucket, Object: 'source' }),
        new CopyDestinationOptions({
          Bucket: bucket,
          Object: 'to/changed',
          UserMetadata: { kind: 'new' },
          MetadataDirective: 'REPLACE',
        }),
      );
      expect((await client.statObject(bucket, 'to/changed')).metaData).toMatchObject({ kind: 'new' });
      expect(
        await codeOf(
          client.copyObject(
            new CopySourceOptions({ Bucket: bucket, Object: 'nowhere' }),
            new CopyDestinationOptions({ Bucket: bucket, Object: 'x' }),
          ),
        ),
      ).toBe('NoSuchKey');
    });

    it('lists by prefix and folder, page by page, and deletes many at once', async () => {
      const keys = Array.from({ length: 1_005 }, (_, at) => `many/${String(at).padStart(4, '0')}`);
      for (let at = 0; at < keys.length; at += 40)
        await Promise.all(keys.slice(at, at + 40).map((key) => client.putObject(bucket, key, 'x')));
      await client.putObject(bucket, 'many/sub folder/a', 'x');
      await client.putObject(bucket, 'many/sub folder/b', 'x');
      expect((await list('many/', true)).map((item) => item.name)).toEqual([
        ...keys,
        'many/sub folder/a',
        'many/sub folder/b',
      ]);
      const folded = await list('many/', false);
      expect(folded).toHaveLength(1_006);
      expect(folded.filter((item) => item.prefix).map((item) => item.prefix)).toEqual(['many/sub folder/']);
      expect((await list('many/000', true)).map((item) => item.name)).toEqual(keys.slice(0, 10));
      await client.removeObjects(bucket, [...keys, 'many/never']);
      expect((await list('many/', true)).map((item) => item.name)).toEqual([
        'many/sub folder/a',
        'many/sub folder/b',
      ]);
    });

    it('takes a large object in parts, shows no half of it, and forgets an aborted one', async () => {
      const part = randomBytes(5 * 1024 * 1024);
      const rest = randomBytes(1_000);
      const id = await client.initiateNewMultipartUpload(bucket, 'parts', {
        'content-type': 'application/zip',
      });
      const first = await client.uploadPart(
        { bucketName: bucket, objectName: 'parts', uploadID: id, partNumber: 1, headers: {} },
        part,
      );
      expect(await codeOf(client.statObject(bucket, 'parts'))).toBe('NotFound');
      const last = await client.uploadPart(
        { bucketName: bucket, objectName: 'parts', uploadID: id, partNumber: 2, headers: {} },
        rest,
      );
      expect(await client.findUploadId(bucket, 'parts')).toBe(id);
      expect(
        await codeOf(
          client.completeMultipartUpload(bucket, 'parts', id, [{ part: 1, etag: '0'.repeat(32) }]),
        ),
      ).toBe('InvalidPart');
      await client.completeMultipartUpload(bucket, 'parts', id, [first, last]);
      const stat = await client.statObject(bucket, 'parts');
      expect(stat.size).toBe(part.length + rest.length);
      expect(stat.etag).toMatch(/^[0-9a-f]{32}-2$/);
      expect(stat.metaData).toMatchObject({ 'content-type': 'application/zip' });
      const bytes = await buffer(await client.getPartialObject(bucket, 'parts', part.length - 10, 20));
      expect(bytes).toEqual(Buffer.concat([part.subarray(-10), rest.subarray(0, 10)]));
      const doomed = await client.initiateNewMultipartUpload(bucket, 'aborted', {});
      await client.abortMultipartUpload(bucket, 'aborted', doomed);
      expect(await client.findUploadId(bucket, 'aborted')).toBeUndefined();
    });

    it('takes a stream of unknown length through the client, part by part', async () => {
      const piece = randomBytes(1024 * 1024);
      await client.putObject(
        bucket,
        'streamed',
        Readable.from(Array.from({ length: 12 }, () => piece)),
        12 * piece.length,
      );
      expect((await client.statObject(bucket, 'streamed')).size).toBe(12 * piece.length);
    });

    it('lets a presigned URL do what was signed, and nothing else', async () => {
      const put = await client.presignedPutObject(bucket, 'signed/up', 60);
      const done = await fetch(put, {
        method: 'PUT',
        body: 'uploaded',
        headers: { 'content-type': 'text/plain' },
      });
      expect([done.status, done.headers.get('etag')]).toEqual([
        200,
        `"${createHash('md5').update('uploaded').digest('hex')}"`,
      ]);
      const get = await client.presignedGetObject(bucket, 'signed/up', 60, {
        'response-content-type': 'application/x-mine',
      });
      const got = await fetch(get);
      expect([got.status, got.headers.get('content-type'), await got.text()]).toEqual([
        200,
        'application/x-mine',
        'uploaded',
      ]);
      const head = await client.presignedUrl('HEAD', bucket, 'signed/up', 60);
      expect((await fetch(head, { method: 'HEAD' })).headers.get('content-length')).toBe('8');

      expect(
        await answerOf(await fetch(put.replace('/signed/up', '/signed/other'), { method: 'PUT', body: 'x' })),
      ).toEqual([403, 'SignatureDoesNotMatch']);
      expect(await answerOf(await fetch(get, { method: 'DELETE' }))).toEqual([403, 'SignatureDoesNotMatch']);
      const changed = get.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
      expect(await answerOf(await fetch(changed))).toEqual([403, 'SignatureDoesNotMatch']);
      expect(await answerOf(await fetch(get.replace('X-Amz-Expires=60', 'X-Amz-Expires=3600')))).toEqual([
        403,
        'SignatureDoesNotMatch',
      ]);
    });

    it('refuses an expired URL and one that would live longer than seven days', async () => {
      const { url, accessKey, secretKey } = subject();
      const sign = (expiresSeconds: number, date: Date): string =>
        presign({
          url,
          method: 'GET',
          path: `/${bucket}/signed/up`,
          accessKey,
          secretKey,
          expiresSeconds,
          date,
        });
      expect((await fetch(sign(60, new Date()))).status).toBe(200);
      expect(await answerOf(await fetch(sign(60, new Date(Date.now() - 120_000))))).toEqual([
        403,
        'AccessDenied',
      ]);
      expect(await answerOf(await fetch(sign(604_801, new Date())))).toEqual([
        400,
        'AuthorizationQueryParametersError',
      ]);
      expect((await fetch(sign(0, new Date()))).ok).toBe(false); // S3 itself says 400, versitygw 403
    });

    it('holds a presigned PUT to its signed length', async () => {
      const { url, accessKey, secretKey } = subject();
      const put = presign({
        url,
        method: 'PUT',
        path: `/${bucket}/sized`,
        headers: { 'content-length': '5' },
        accessKey,
        secretKey,
        expiresSeconds: 60,
      });
      expect(await answerOf(await fetch(put, { method: 'PUT', body: '123456' }))).toEqual([
        403,
        'SignatureDoesNotMatch',
      ]);
      expect(await answerOf(await fetch(put, { method: 'PUT', body: '1234' }))).toEqual([
        403,
        'SignatureDoesNotMatch',
      ]);
      expect((await fetch(put, { method: 'PUT', body: '12345' })).status).toBe(200);
    });

    it('holds a presigned PUT to its signed length, type and SHA-256 together', async () => {
      const { url, accessKey, secretKey } = subject();
      const bytes = Buffer.from('%PDF-1.7 as announced');
      const headers = {
        'content-length': String(bytes.length),
        'content-type': 'application/pdf',
        'x-amz-checksum-sha256': createHash('sha256').update(bytes).digest('base64'),
      };
      const put = presign({
        url,
        method: 'PUT',
        path: `/${bucket}/bound`,
        headers,
        accessKey,
        secretKey,
        expiresSeconds: 60,
      });
      const send = async (body: Buffer, change: Partial<typeof headers> = {}) => {
        const { 'content-length': _counted, ...sent } = { ...headers, ...change };
        return answerOf(await fetch(put, { method: 'PUT', body: new Uint8Array(body), headers: sent }));
      };
      const other = Buffer.from('%PDF-1.7 of a stranger');
      const sameLength = Buffer.concat([bytes.subarray(0, -1), Buffer.from('!')]);
      const otherSum = createHash('sha256').update(sameLength).digest('base64');
      expect(await send(other)).toEqual([403, 'SignatureDoesNotMatch']);
      expect(await send(bytes, { 'content-type': 'text/html' })).toEqual([403, 'SignatureDoesNotMatch']);
      expect(await send(sameLength)).toEqual([400, 'BadDigest']);
      expect(await send(sameLength, { 'x-amz-checksum-sha256': otherSum })).toEqual([
        403,
        'SignatureDoesNotMatch',
      ]);
      expect(await answerOf(await fetch(put, { method: 'PUT', body: new Uint8Array(bytes) }))).toEqual([
        403,
        'SignatureDoesNotMatch',
      ]);
      expect(await codeOf(client.statObject(bucket, 'bound'))).toBe('NotFound');
      expect((await send(bytes))[0]).toBe(200);
      expect(await client.statObject(bucket, 'bound')).toMatchObject({
        size: bytes.length,
        metaData: { 'content-type': 'application/pdf' },
      });
    });

    it('takes the files of knowledge bases as they are announced, and gives them back', async () => {
      const { url, accessKey, secretKey } = subject();
      const bytes = Buffer.from('# Shipping\n\nParcels leave at noon.');
      const document = {
        organizationId: randomUUID(),
        projectId: randomUUID(),
        knowledgeBaseId: randomUUID(),
        id: randomUUID(),
        contentType: 'text/markdown',
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      } as Document;
      const storage = openDocumentStorage({
        url,
        publicUrl: url,
        accessKey,
        secretKey,
        region: 'us-east-1',
        bucket,
        uploadSeconds: 60,
        deadlineMs: 5_000,
      });
      const { signal } = new AbortController();
      await expect(storage.check(document)).rejects.toMatchObject({ code: 'UPLOAD_MISSING' });
      const upload = await storage.presignUpload(document);
      const send = (body: Buffer) =>
        fetch(upload.url, { method: upload.method, headers: upload.headers, body: new Uint8Array(body) });
      const other = Buffer.from(bytes.toString().replace('noon', 'nine'));
      expect(await answerOf(await send(other))).toEqual([400, 'BadDigest']);
      expect(await answerOf(await send(bytes.subarray(1)))).toEqual([403, 'SignatureDoesNotMatch']);
      expect((await send(bytes)).status).toBe(200);
      await storage.check(document);
      expect(await buffer(Readable.from(storage.bytes(document, signal)))).toEqual(bytes);
      const announced = { ...document, sha256: createHash('sha256').update(other).digest('hex') };
      await expect(buffer(Readable.from(storage.bytes(announced, signal)))).rejects.toMatchObject({
        code: 'UPLOAD_MISMATCH',
      });
      await storage.remove(document);
      await storage.remove(document);
      await expect(storage.check(document)).rejects.toMatchObject({ code: 'UPLOAD_MISSING' });
    });

    it('refuses strangers: nobody, a wrong secret, an unknown key', async () => {
      const { url } = subject();
      expect(await answerOf(await fetch(`${url}/${bucket}/signed/up`))).toEqual([403, 'AccessDenied']);
      expect(await answerOf(await fetch(`${url}/${bucket}/signed/up`, { method: 'PUT', body: 'x' }))).toEqual(
        [403, 'AccessDenied'],
      );
      expect(await codeOf(connect({ secretKey: 'wrong-secret-wrong' }).putObject(bucket, 'a', 'b'))).toBe(
        'SignatureDoesNotMatch',
      );
      expect(await codeOf(connect({ accessKey: 'stranger' }).putObject(bucket, 'a', 'b'))).toBe(
        'InvalidAccessKeyId',
      );
    });

    it('refuses a body that is not the signed one, and stores nothing of it', async () => {
      const { url, accessKey, secretKey } = subject();
      const sign = (digest: string): Record<string, string> =>
        signHeaders({ url, method: 'PUT', path: `/${bucket}/forged`, sha256: digest, accessKey, secretKey });
      const honest = createHash('sha256').update('honest').digest('hex');
      const forged = await fetch(`${url}/${bucket}/forged`, {
        method: 'PUT',
        body: 'forged',
        headers: sign(honest),
      });
      expect(await answerOf(forged)).toEqual([400, 'XAmzContentSHA256Mismatch']);
      expect(await codeOf(client.statObject(bucket, 'forged'))).toBe('NotFound');
      const md5 = { 'content-md5': createHash('md5').update('other').digest('base64') };
      const corrupt = await fetch(`${url}/${bucket}/forged`, {
        method: 'PUT',
        body: 'honest',
        headers: { ...sign(honest), ...md5 },
      });
      expect(await answerOf(corrupt)).toEqual([400, 'BadDigest']);
      expect(
        (await fetch(`${url}/${bucket}/forged`, { method: 'PUT', body: 'honest', headers: sign(honest) }))
          .status,
      ).toBe(200);
      expect(
        (
          await fetch(`${url}/${bucket}/forged`, {
            method: 'PUT',
            body: 'honest',
            headers: sign('UNSIGNED-PAYLOAD'),
          })
        ).status,
      ).toBe(200);
    });

    it('refuses a request of another time', async () => {
      const { url, accessKey, secretKey } = subject();
      const date = new Date(Date.now() - 20 * 60_000);
      const late = signHeaders({
        url,
        method: 'PUT',
        path: `/${bucket}/late`,
        sha256: 'UNSIGNED-PAYLOAD',
        accessKey,
        secretKey,
        date,
      });
      expect(
        await answerOf(await fetch(`${url}/${bucket}/late`, { method: 'PUT', body: 'x', headers: late })),
      ).toEqual([403, 'RequestTimeTooSkewed']);
    });

    if (options.dev)
      it('lets a browser of any origin use a presigned URL', async () => {
        const put = await client.presignedPutObject(bucket, 'from-browser', 60);
        const preflight = await fetch(put, {
          method: 'OPTIONS',
          headers: {
            origin: 'https://site.example',
            'access-control-request-method': 'PUT',
            'access-control-request-headers': 'content-type',
          },
        });
        expect(preflight.status).toBe(204);
        expect(preflight.headers.get('access-control-allow-origin')).toBe('https://site.example');
        expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
        expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type');
        const done = await fetch(put, {
          method: 'PUT',
          body: 'x',
          headers: { origin: 'https://site.example' },
        });
        expect(done.headers.get('access-control-expose-headers')).toContain('ETag');
      });
  });
}
