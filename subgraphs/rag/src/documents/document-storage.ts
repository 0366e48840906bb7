import { createHash } from 'node:crypto';
import { addAbortSignal } from 'node:stream';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { Client } from 'minio';
import { withDeadline } from '@agentstore/kernel/deadline';
import { UnavailableError } from '@agentstore/kernel/service-client';
import type { Document } from './document.ts';

/** A request that puts a document's bytes into storage, and no others: to be sent exactly so. */
export interface UploadRequest {
  readonly method: 'PUT';
  readonly url: string;
  /** `content-length` is not among them: browsers set it, and it must be the announced one. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt: Date;
}

/** What lies in storage is not what was announced, or nothing does. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly code: 'UPLOAD_MISSING' | 'UPLOAD_MISMATCH';
  constructor(code: UploadError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The files of documents. Every method throws UnavailableError when storage is away or slower than its deadline. */
export interface DocumentStorage {
  presignUpload(document: Document): Promise<UploadRequest>;
  /** Throws UploadError when its size and type, without reading it, are not the announced ones. */
  check(document: Document): Promise<void>;
  /**
   * The bytes from the beginning; throws UploadError as soon as they are more than announced, and at their end when they are not the announced ones.
   */
  bytes(document: Document, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** One that is not there is fine. */
  remove(document: Document): Promise<void>;
}

export interface StorageSettings {
  /** Origin of the S3 server as we reach it. */
  readonly url: string;
  /** Origin of the same as those who upload reach it. */
  readonly publicUrl: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly bucket: string;
  /** How long an upload may take to begin. */
  readonly uploadSeconds: number;
  /** For one answer, and for each next piece of a file. */
  readonly deadlineMs: number;
}

const mismatch = () =>
  new UploadError('UPLOAD_MISMATCH', 'What was uploaded is not the file that was announced.');

/** Over S3. Of a key there is one object, for ever: organization, project, base and document. */
export function openDocumentStorage(settings: StorageSettings): DocumentStorage {
  const { bucket, deadlineMs, uploadSeconds } = settings;
  const reached = new URL(settings.url);
  const client = new Client({
    endPoint: reached.hostname,
    port: Number(reached.port) || (reached.protocol === 'https:' ? 443 : 80),
    useSSL: reached.protocol === 'https:',
    accessKey: settings.accessKey,
    secretKey: settings.secretKey,
    region: settings.region,
  });
  const signer = new SignatureV4({
    service: 's3',
    region: settings.region,
    credentials: { accessKeyId: settings.accessKey, secretAccessKey: settings.secretKey },
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  });
  const keyOf = ({ organizationId, projectId, knowledgeBaseId, id }: Document): string =>
    `${organizationId}/${projectId}/${knowledgeBaseId}/${id}`;

  /** What storage answers, in time. */
  async function answered<T>(asked: Promise<T>): Promise<T> {
    try {
      return await withDeadline(asked, deadlineMs, 'object storage');
    } catch (error) {
      if (['NoSuchKey', 'NotFound'].includes((error as { code?: string }).code ?? ''))
        throw new UploadError('UPLOAD_MISSING', 'The file was not uploaded.');
      throw new UnavailableError('object storage', (error as Error).message, { cause: error });
    }
  }

  return {
    async presignUpload(document) {
      const { protocol, hostname, host, port, origin } = new URL(settings.publicUrl);
      const headers = {
        'content-type': document.contentType,
        // Storage computes it over what it receives. x-amz-content-sha256 would be S3's own word for that, but not every server holds a presigned PUT to it.
        'x-amz-checksum-sha256': Buffer.from(document.sha256, 'hex').toString('base64'),
      };
      const signingDate = new Date();
      const { path, query } = await signer.presign(
        {
          method: 'PUT',
          protocol,
          hostname,
          ...(port ? { port: Number(port) } : {}),
          path: `/${bucket}/${keyOf(document)}`,
          query: {},
          headers: {
            host,
            'content-length': String(document.sizeBytes),
            ...headers,
            'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD',
          },
        },
        { expiresIn: uploadSeconds, signingDate, unhoistableHeaders: new Set(['x-amz-checksum-sha256']) },
      );
      return {
        method: 'PUT',
        url: `${origin}${path}?${new URLSearchParams(query as Record<string, string>).toString()}`,
        headers,
        expiresAt: new Date(signingDate.getTime() + uploadSeconds * 1_000),
      };
    },
    async check(document) {
      const { size, metaData } = await answered(client.statObject(bucket, keyOf(document)));
      if (size !== document.sizeBytes || metaData['content-type'] !== document.contentType) throw mismatch();
    },
    async *bytes(document, signal) {
      const stream = await answered(client.getObject(bucket, keyOf(document)));
      const chunks = addAbortSignal(signal, stream)[Symbol.asyncIterator]() as AsyncIterator<Buffer, void>;
      const hash = createHash('sha256');
      let size = 0;
      try {
        for (let next = await answered(chunks.next()); !next.done; next = await answered(chunks.next())) {
          size += next.value.length;
          if (size > document.sizeBytes) throw mismatch();
          hash.update(next.value);
          yield next.value;
        }
      } catch (error) {
        signal.throwIfAborted();
        throw error;
      } finally {
        stream.destroy();
      }
      if (size !== document.sizeBytes || hash.digest('hex') !== document.sha256) throw mismatch();
    },
    async remove(document) {
      await answered(client.removeObject(bucket, keyOf(document)));
    },
  };
}
