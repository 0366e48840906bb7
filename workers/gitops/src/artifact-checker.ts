import type { Client } from 'minio';
import type { Deps } from './deps.ts';

/** Looks an artifact up in object storage by HEAD; another size counts as missing. */
export const artifactChecker =
  (objects: Client): Deps['artifactIsThere'] =>
  async ({ bucket, key, sizeBytes }) => {
    try {
      return (await objects.statObject(bucket, key)).size === sizeBytes;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'NotFound' || code === 'NoSuchKey' || code === 'NoSuchBucket') return false;
      throw error;
    }
  };
