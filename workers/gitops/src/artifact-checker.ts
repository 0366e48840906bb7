import type { Client } from 'minio';
import { withDeadline } from '@agentstore/kernel/deadline';
import type { Deps } from './deps.ts';

/** Looks an artifact up in object storage by HEAD; another size counts as missing. Storage that does not answer is a fault, not an absence. */
export const artifactChecker =
  (objects: Client, deadlineMs = 5_000): Deps['artifactIsThere'] =>
  async ({ bucket, key, sizeBytes }) => {
    try {
      const { size } = await withDeadline(objects.statObject(bucket, key), deadlineMs, 'object storage');
      return size === sizeBytes;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'NotFound' || code === 'NoSuchKey' || code === 'NoSuchBucket') return false;
      throw error;
    }
  };
