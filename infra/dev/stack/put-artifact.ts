import { hash } from 'node:crypto';
import { Client } from 'minio';
import type { DevSecrets } from '../state/secrets.ts';
import { artifactBucket, type Doubles } from './doubles.ts';

/** Stores an offering's artifact under its sha256; answers where it lies, as the catalogue wants it. */
export async function putArtifact(
  at: { readonly doubles: Pick<Doubles, 'objects'>; readonly secrets: Pick<DevSecrets, 'objects'> },
  slug: string,
  bytes: Buffer,
): Promise<{ bucket: string; objectKey: string; sha256: string; sizeBytes: number }> {
  const { endPoint, port } = at.doubles.objects;
  const objects = new Client({ endPoint, port, useSSL: false, ...at.secrets.objects, region: 'us-east-1' });
  const sha256 = hash('sha256', bytes);
  const objectKey = `${slug}/${sha256}.json`;
  await objects.putObject(artifactBucket, objectKey, bytes, bytes.length, {
    'content-type': 'application/json',
  });
  return { bucket: artifactBucket, objectKey, sha256, sizeBytes: bytes.length };
}
