import { createHash } from 'node:crypto';
import fs, { type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { writeAtomically, type Received } from './files.ts';
import { S3Error } from './s3-error.ts';
import { createTurns } from './turns.ts';

/** One stored object. Its bytes are `file` in the bucket's `data` folder; replacing an object makes a new file, so readers are never torn. */
export interface StoredObject {
  readonly key: string;
  readonly file: string;
  readonly size: number;
  /** Without quotes: the MD5, or `<md5 of md5s>-<parts>` after a multipart upload. */
  readonly etag: string;
  /** ISO 8601. */
  readonly lastModified: string;
  /** content-type, cache-control … and x-amz-meta-*, lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Bucket {
  readonly name: string;
  readonly createdAt: string;
  /** By key, unsorted. */
  readonly objects: ReadonlyMap<string, StoredObject>;
}

interface OpenBucket extends Bucket {
  readonly objects: Map<string, StoredObject>;
}

/**
 * Objects on disk, with the index in memory. Per bucket: `data/<uuid>` bytes, `objects/<sha256 of key>.json` the committed truth about a key,
 * `uploads/` multipart uploads under way. The rename of the small JSON file is the commit, so kill -9 loses nothing that was answered and
 * leaves at worst a data file nobody points to, which the next start removes.
 */
export interface ObjectStore {
  bucket(name: string): Bucket;
  buckets(): Bucket[];
  hasBucket(name: string): boolean;
  createBucket(name: string): Promise<void>;
  deleteBucket(name: string): Promise<void>;
  /** Throws NoSuchBucket, NoSuchKey. */
  object(bucket: string, key: string): StoredObject;
  /** Makes received bytes an object; answers it. */
  commit(
    bucket: string,
    key: string,
    o: {
      received: Received;
      etag?: string;
      headers: Readonly<Record<string, string>>;
      /** Throws PreconditionFailed, and leaves nothing, when the key is there already. */
      onlyIfAbsent?: boolean;
    },
  ): Promise<StoredObject>;
  /** Deleting what is not there is success, as in S3. */
  remove(bucket: string, key: string): Promise<void>;
  /** An object with its bytes opened: they stay whole for this reader when the object is replaced meanwhile. The caller closes the handle. */
  open(bucket: string, key: string): Promise<{ object: StoredObject; handle: FileHandle }>;
  /** Folder for bytes on their way into the bucket. */
  dataDirectory(bucket: string): string;
  uploadsDirectory(bucket: string): string;
}

const bucketName = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Opens the folder, making it when it is not there. */
export async function openStore(root: string): Promise<ObjectStore> {
  await fs.mkdir(root, { recursive: true });
  const open = new Map<string, OpenBucket>();
  for (const entry of await fs.readdir(root, { withFileTypes: true })) {
    if (entry.isDirectory() && bucketName.test(entry.name))
      open.set(entry.name, await loadBucket(root, entry.name));
  }
  /** One change at a time per key, and per bucket: the files and the index then always agree. */
  const inTurn = createTurns();

  const find = (name: string): OpenBucket => {
    const bucket = open.get(name);
    if (!bucket) throw new S3Error('NoSuchBucket');
    return bucket;
  };
  const object = (bucket: string, key: string): StoredObject => {
    const found = find(bucket).objects.get(key);
    if (!found) throw new S3Error('NoSuchKey');
    return found;
  };
  const entryFile = (bucket: string, key: string): string =>
    path.join(root, bucket, 'objects', `${createHash('sha256').update(key).digest('hex')}.json`);
  const dataDirectory = (bucket: string): string => path.join(root, bucket, 'data');

  return {
    bucket: find,
    buckets: () => [...open.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    hasBucket: (name) => open.has(name),
    dataDirectory,
    uploadsDirectory: (bucket) => path.join(root, bucket, 'uploads'),
    createBucket: (name) =>
      inTurn(name, async () => {
        if (!bucketName.test(name)) throw new S3Error('InvalidBucketName');
        if (open.has(name)) throw new S3Error('BucketAlreadyOwnedByYou');
        for (const folder of ['data', 'objects', 'uploads'])
          await fs.mkdir(path.join(root, name, folder), { recursive: true });
        const createdAt = new Date().toISOString();
        await writeAtomically(path.join(root, name, 'bucket.json'), JSON.stringify({ createdAt }));
        open.set(name, { name, createdAt, objects: new Map() });
      }),
    deleteBucket: (name) =>
      inTurn(name, async () => {
        if (find(name).objects.size > 0) throw new S3Error('BucketNotEmpty');
        open.delete(name);
        await fs.rm(path.join(root, name), { recursive: true, force: true });
      }),
    object,
    async open(bucket, key) {
      for (;;) {
        const found = object(bucket, key);
        try {
          return { object: found, handle: await fs.open(path.join(dataDirectory(bucket), found.file)) };
        } catch (error) {
          // Replaced or deleted between the look-up and the opening: look again.
          if (object(bucket, key) === found) throw error;
        }
      }
    },
    commit: (bucket, key, { received, etag, headers, onlyIfAbsent = false }) =>
      inTurn(`${bucket}/${key}`, async () => {
        const { objects } = find(bucket);
        if (onlyIfAbsent && objects.has(key)) {
          await fs.rm(received.file, { force: true });
          throw new S3Error('PreconditionFailed');
        }
        const made: StoredObject = {
          key,
          file: path.basename(received.file),
          size: received.size,
          etag: etag ?? received.md5,
          lastModified: new Date().toISOString(),
          headers,
        };
        await writeAtomically(entryFile(bucket, key), JSON.stringify(made));
        const former = objects.get(key);
        objects.set(key, made);
        if (former) await fs.rm(path.join(dataDirectory(bucket), former.file), { force: true });
        return made;
      }),
    remove: (bucket, key) =>
      inTurn(`${bucket}/${key}`, async () => {
        const { objects } = find(bucket);
        const former = objects.get(key);
        if (!former) return;
        await fs.rm(entryFile(bucket, key), { force: true });
        objects.delete(key);
        await fs.rm(path.join(dataDirectory(bucket), former.file), { force: true });
      }),
  };
}

async function loadBucket(root: string, name: string): Promise<OpenBucket> {
  const home = path.join(root, name);
  for (const folder of ['data', 'objects', 'uploads'])
    await fs.mkdir(path.join(home, folder), { recursive: true });
  const objects = new Map<string, StoredObject>();
  for (const file of await fs.readdir(path.join(home, 'objects'))) {
    const full = path.join(home, 'objects', file);
    if (!file.endsWith('.json'))
      await fs.rm(full); // a replacement that was never committed
    else {
      const object = JSON.parse(await fs.readFile(full, 'utf8')) as StoredObject;
      objects.set(object.key, object);
    }
  }
  const wanted = new Set([...objects.values()].map((object) => object.file));
  for (const file of await fs.readdir(path.join(home, 'data')))
    if (!wanted.has(file)) await fs.rm(path.join(home, 'data', file), { force: true });
  const { createdAt } = JSON.parse(
    await fs
      .readFile(path.join(home, 'bucket.json'), 'utf8')
      .catch(() => '{"createdAt":"1970-01-01T00:00:00.000Z"}'),
  ) as {
    createdAt: string;
  };
  return { name, createdAt, objects };
}
