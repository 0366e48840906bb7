import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { receive, writeAtomically, type Received } from './files.ts';
import { S3Error } from './s3-error.ts';
import type { ObjectStore, StoredObject } from './store.ts';
import { createTurns } from './turns.ts';

/** A multipart upload under way. On disk: `uploads/<id>/upload.json`, and per part `<n>.json` that points to its bytes. */
export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiated: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: string;
}

interface PartEntry extends Part {
  readonly file: string;
}

export interface Multipart {
  initiate(bucket: string, key: string, headers: Readonly<Record<string, string>>): Promise<Upload>;
  uploads(bucket: string): Promise<Upload[]>;
  parts(bucket: string, key: string, id: string): Promise<Part[]>;
  /** Folder that a part's bytes are received into. Throws NoSuchUpload. */
  partDirectory(bucket: string, key: string, id: string): Promise<string>;
  putPart(o: { bucket: string; key: string; id: string; number: number; received: Received }): Promise<void>;
  complete(o: {
    bucket: string;
    key: string;
    id: string;
    wanted: readonly { number: number; etag: string }[];
  }): Promise<StoredObject>;
  abort(bucket: string, key: string, id: string): Promise<void>;
}

const smallestPart = 5 * 1024 * 1024;

export function createMultipart(store: ObjectStore): Multipart {
  const home = (bucket: string, id: string): string => path.join(store.uploadsDirectory(bucket), id);
  const readJson = async <T>(file: string): Promise<T | undefined> => {
    const text = await fs.readFile(file, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  };
  const find = async (bucket: string, key: string, id: string): Promise<Upload> => {
    store.bucket(bucket);
    const upload = /^[0-9a-f-]{36}$/.test(id)
      ? await readJson<Upload>(path.join(home(bucket, id), 'upload.json'))
      : undefined;
    if (upload?.key !== key) throw new S3Error('NoSuchUpload');
    return upload;
  };
  const entries = async (bucket: string, id: string): Promise<PartEntry[]> => {
    const files = (await fs.readdir(home(bucket, id))).filter((file) => /^\d+\.json$/.test(file));
    const parts = await Promise.all(
      files.map((file) => readJson<PartEntry>(path.join(home(bucket, id), file))),
    );
    return parts.filter((part) => part !== undefined).sort((a, b) => a.number - b.number);
  };

  /** One change at a time per upload: a part is not written into, nor read from, one that is just being completed or aborted. */
  const inTurn = createTurns();

  return {
    async initiate(bucket, key, headers) {
      store.bucket(bucket);
      const upload: Upload = { id: randomUUID(), key, initiated: new Date().toISOString(), headers };
      await fs.mkdir(home(bucket, upload.id), { recursive: true });
      await writeAtomically(path.join(home(bucket, upload.id), 'upload.json'), JSON.stringify(upload));
      return upload;
    },
    async uploads(bucket) {
      store.bucket(bucket);
      const ids = await fs.readdir(store.uploadsDirectory(bucket));
      const found = await Promise.all(
        ids.map((id) => readJson<Upload>(path.join(home(bucket, id), 'upload.json'))),
      );
      return found.filter((upload) => upload !== undefined).sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    async parts(bucket, key, id) {
      await find(bucket, key, id);
      return entries(bucket, id);
    },
    async partDirectory(bucket, key, id) {
      await find(bucket, key, id);
      return home(bucket, id);
    },
    putPart: ({ bucket, key, id, number, received }) =>
      inTurn(id, async () => {
        await find(bucket, key, id);
        const entry: PartEntry = {
          number,
          etag: received.md5,
          size: received.size,
          lastModified: new Date().toISOString(),
          file: path.basename(received.file),
        };
        await writeAtomically(path.join(home(bucket, id), `${number}.json`), JSON.stringify(entry));
      }),
    complete: ({ bucket, key, id, wanted }) =>
      inTurn(id, async () => {
        const upload = await find(bucket, key, id);
        const there = await entries(bucket, id);
        const chosen = wanted.map(({ number, etag }) => {
          const part = there.find((one) => one.number === number && one.etag === etag);
          if (!part) throw new S3Error('InvalidPart');
          return part;
        });
        if (chosen.length === 0) throw new S3Error('MalformedXML');
        if (chosen.some((part, at) => at > 0 && part.number <= chosen[at - 1]!.number))
          throw new S3Error('InvalidPartOrder');
        if (chosen.slice(0, -1).some((part) => part.size < smallestPart)) throw new S3Error('EntityTooSmall');
        const received = await receive(
          concatenate(chosen.map((part) => path.join(home(bucket, id), part.file))),
          {
            directory: store.dataDirectory(bucket),
            maxBytes: Number.MAX_SAFE_INTEGER,
          },
        );
        const md5s = Buffer.concat(chosen.map((part) => Buffer.from(part.etag, 'hex')));
        const etag = `${createHash('md5').update(md5s).digest('hex')}-${chosen.length}`;
        const object = await store.commit(bucket, key, { received, etag, headers: upload.headers });
        await fs.rm(home(bucket, id), { recursive: true, force: true });
        return object;
      }),
    abort: (bucket, key, id) =>
      inTurn(id, async () => {
        await find(bucket, key, id);
        await fs.rm(home(bucket, id), { recursive: true, force: true });
      }),
  };
}

async function* concatenate(files: readonly string[]): AsyncGenerator<Buffer> {
  for (const file of files) for await (const chunk of createReadStream(file)) yield chunk as Buffer;
}
