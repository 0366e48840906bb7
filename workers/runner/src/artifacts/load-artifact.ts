import { createHash } from 'node:crypto';
import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtifactCache } from './artifact-cache.ts';

/** Where an artifact lies and what its bytes must be. */
export interface ArtifactRef {
  readonly bucket: string;
  readonly key: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** `mismatch`: the bytes are not the published ones; `unavailable`: they could not be read. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
  readonly kind: 'mismatch' | 'unavailable';
  constructor(kind: ArtifactError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** The part of the minio client that is used. */
export interface ObjectStore {
  getObject(bucket: string, key: string): Promise<Readable>;
}

const attempts = 3;

/**
 * The bytes of an artifact, proven by their sha256 before anything looks into them: hashed while they stream in, and cut off as soon as
 * they are more than were published. A read that breaks is tried again; wrong bytes are not. Throws ArtifactError.
 */
export async function loadArtifact(
  deps: { objects: ObjectStore; cache: ArtifactCache; maxBytes: number },
  ref: ArtifactRef,
  signal: AbortSignal,
): Promise<Buffer> {
  const cached = deps.cache.get(ref.sha256);
  if (cached) return cached;
  if (ref.sizeBytes > deps.maxBytes)
    throw new ArtifactError(
      'mismatch',
      `an artifact of ${ref.sizeBytes} bytes is more than the ${deps.maxBytes} allowed`,
    );
  for (let attempt = 1; ; attempt++) {
    try {
      const bytes = await readVerified(
        deps.objects,
        ref,
        AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
      );
      deps.cache.put(ref.sha256, bytes);
      return bytes;
    } catch (error) {
      if (error instanceof ArtifactError || signal.aborted) throw error;
      if (attempt >= attempts)
        throw new ArtifactError('unavailable', (error as Error).message, { cause: error });
      await sleep(200 * 2 ** attempt, undefined, { signal });
    }
  }
}

async function readVerified(objects: ObjectStore, ref: ArtifactRef, signal: AbortSignal): Promise<Buffer> {
  const stream = addAbortSignal(signal, await opened(objects, ref, signal));
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ref.sizeBytes) {
      stream.destroy();
      throw new ArtifactError('mismatch', `the artifact has more than the ${ref.sizeBytes} bytes published`);
    }
    hash.update(chunk);
    chunks.push(chunk);
  }
  const sha256 = hash.digest('hex');
  if (size !== ref.sizeBytes || sha256 !== ref.sha256)
    throw new ArtifactError(
      'mismatch',
      `the artifact is ${sha256} of ${size} bytes, published was ${ref.sha256} of ${ref.sizeBytes}`,
    );
  return Buffer.concat(chunks);
}

/** The minio client has no deadline of its own. */
function opened(objects: ObjectStore, ref: ArtifactRef, signal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(signal.reason as Error);
    if (signal.aborted) return late();
    signal.addEventListener('abort', late, { once: true });
    objects.getObject(ref.bucket, ref.key).then(
      (stream) => {
        signal.removeEventListener('abort', late);
        if (signal.aborted) stream.destroy();
        resolve(stream);
      },
      (error: Error) => {
        signal.removeEventListener('abort', late);
        reject(error);
      },
    );
  });
}
