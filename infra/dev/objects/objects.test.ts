import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { objectsCases } from '../../../tests/contract/objects/cases.ts';
import { startObjects, type Objects } from './objects.ts';
import { readRange } from './respond.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-objects-'));
const options = { dir, port: 0, accessKey: 'dev', secretKey: 'dev-secret', log: silentLog };
let objects: Objects;

beforeAll(async () => {
  objects = await startObjects({ ...options, buckets: ['artifacts'] });
});
afterAll(async () => {
  await objects.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

objectsCases('dev S3', () => ({ url: objects.url, accessKey: 'dev', secretKey: 'dev-secret' }), {
  dev: true,
});

describe('the dev S3 on disk', () => {
  const client = (port: number): Client =>
    new Client({
      endPoint: '127.0.0.1',
      port,
      useSSL: false,
      region: 'us-east-1',
      accessKey: 'dev',
      secretKey: 'dev-secret',
    });
  const dataFiles = (root: string, bucket: string): number =>
    fs.readdirSync(path.join(root, bucket, 'data')).length;

  it('has everything after a restart: objects, metadata and uploads under way', async () => {
    const root = path.join(dir, 'restart');
    const before = await startObjects({ ...options, dir: root, buckets: ['kept'] });
    await client(before.port).putObject('kept', 'a/b', 'bytes', 5, { 'X-Amz-Meta-Who': 'me' });
    const id = await client(before.port).initiateNewMultipartUpload('kept', 'big', {});
    const part = await client(before.port).uploadPart(
      { bucketName: 'kept', objectName: 'big', uploadID: id, partNumber: 1, headers: {} },
      Buffer.from('part'),
    );
    await before.stop();

    const after = await startObjects({ ...options, dir: root, buckets: ['kept'] });
    try {
      expect((await client(after.port).statObject('kept', 'a/b')).metaData).toMatchObject({ who: 'me' });
      await client(after.port).completeMultipartUpload('kept', 'big', id, [part]);
      expect(String(await buffer(await client(after.port).getObject('kept', 'big')))).toBe('part');
    } finally {
      await after.stop();
    }
  });

  it('loses no answered write to kill -9, and keeps no half one', async () => {
    const root = path.join(dir, 'killed');
    const code = `import { startObjects } from ${JSON.stringify(path.join(import.meta.dirname, 'objects.ts'))};
      import { silentLog } from '@agentstore/kernel/log';
      const objects = await startObjects({ dir: ${JSON.stringify(root)}, port: 0, accessKey: 'dev', secretKey: 'dev-secret', buckets: ['kept'], log: silentLog });
      process.stdout.write(objects.port + '\\n');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = Number(
      await new Promise<string>((resolve) => child.stdout.setEncoding('utf8').once('data', resolve)),
    );
    const answered = new Map<string, string>();
    const writer = async (name: string): Promise<void> => {
      for (let turn = 0; ; turn += 1) {
        const value = `${name} ${turn} ${'x'.repeat(20_000)}`;
        await client(port).putObject('kept', name, value);
        answered.set(name, value);
      }
    };
    const writers = ['one', 'two', 'three'].map((name) => writer(name).catch(() => undefined));
    while (answered.size < 3) await sleep(10);
    child.kill('SIGKILL');
    await Promise.all(writers);

    const after = await startObjects({ ...options, dir: root });
    try {
      for (const [name, value] of answered) {
        const found = String(await buffer(await client(after.port).getObject('kept', name)));
        // The write after the last answered one may have been committed, too: it is whole then.
        const turn = Number(found.split(' ')[1]);
        expect([Number(value.split(' ')[1]), Number(value.split(' ')[1]) + 1]).toContain(turn);
        expect(found).toBe(`${name} ${turn} ${'x'.repeat(20_000)}`);
      }
      expect(dataFiles(root, 'kept')).toBe(3);
    } finally {
      await after.stop();
    }
  });

  it('forgets the bytes of a client that went away', async () => {
    const url = new URL(await client(objects.port).presignedPutObject('artifacts', 'half', 60));
    const socket = net.connect(objects.port, '127.0.0.1');
    socket.write(
      `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: 1000\r\n\r\nhalf of it`,
    );
    while (dataFiles(dir, 'artifacts') === 0) await sleep(10);
    socket.destroy();
    while (dataFiles(dir, 'artifacts') > 0) await sleep(10);
    await expect(client(objects.port).statObject('artifacts', 'half')).rejects.toMatchObject({
      code: 'NotFound',
    });
  });

  it('gives every reader one whole version while the object is being replaced', async () => {
    const version = (turn: number): string => String(turn % 10).repeat(300_000);
    await client(objects.port).putObject('artifacts', 'busy', version(0));
    let writing = true;
    const writer = (async () => {
      for (let turn = 1; turn < 30; turn += 1)
        await client(objects.port).putObject('artifacts', 'busy', version(turn));
      writing = false;
    })();
    while (writing) {
      const read = String(await buffer(await client(objects.port).getObject('artifacts', 'busy')));
      expect([read.length, new Set(read).size]).toEqual([300_000, 1]);
    }
    await writer;
    await client(objects.port).removeObject('artifacts', 'busy');
  });

  it('makes a bucket once, however many ask at once, and drops nothing of it', async () => {
    const root = path.join(dir, 'crowd');
    const crowd = await startObjects({ ...options, dir: root });
    try {
      const makes = await Promise.allSettled(
        Array.from({ length: 8 }, async () => {
          await client(crowd.port).makeBucket('crowd', 'us-east-1');
          await client(crowd.port).putObject('crowd', 'mine', 'kept');
        }),
      );
      expect(makes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(String(await buffer(await client(crowd.port).getObject('crowd', 'mine')))).toBe('kept');
    } finally {
      await crowd.stop();
    }
  });

  it('completes an upload once, however many complete it at once', async () => {
    const id = await client(objects.port).initiateNewMultipartUpload('artifacts', 'once', {});
    const part = await client(objects.port).uploadPart(
      { bucketName: 'artifacts', objectName: 'once', uploadID: id, partNumber: 1, headers: {} },
      Buffer.from('part'),
    );
    const ends = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        client(objects.port).completeMultipartUpload('artifacts', 'once', id, [part]),
      ),
    );
    const refusals = ends.flatMap((end) =>
      end.status === 'rejected' ? [(end.reason as { code: string }).code] : [],
    );
    expect(refusals).toEqual(Array.from({ length: 7 }, () => 'NoSuchUpload'));
    expect(String(await buffer(await client(objects.port).getObject('artifacts', 'once')))).toBe('part');
    await client(objects.port).removeObject('artifacts', 'once');
  });

  it('refuses a key that is too long before it stores a byte', async () => {
    const long = 'é'.repeat(600); // the client counts characters, S3 bytes
    await expect(client(objects.port).putObject('artifacts', long, 'x')).rejects.toMatchObject({
      code: 'KeyTooLongError',
    });
    await expect(
      client(objects.port).initiateNewMultipartUpload('artifacts', long, {}),
    ).rejects.toMatchObject({ code: 'KeyTooLongError' });
    expect(dataFiles(dir, 'artifacts')).toBe(0);
  });

  it('keeps the conditions it offers and refuses the others', async () => {
    const put = await client(objects.port).presignedPutObject('artifacts', 'once', 60);
    const get = await client(objects.port).presignedGetObject('artifacts', 'once', 60);
    const status = async (url: string, method: string, headers: Record<string, string>) =>
      (await fetch(url, { method, headers, ...(method === 'PUT' ? { body: 'x' } : {}) })).status;
    const crowd = await Promise.all(
      Array.from({ length: 4 }, () => status(put, 'PUT', { 'if-none-match': '*' })),
    );
    expect(crowd.sort((a, b) => a - b)).toEqual([200, 412, 412, 412]);
    expect(dataFiles(dir, 'artifacts')).toBe(1);
    const { etag } = await client(objects.port).statObject('artifacts', 'once');
    expect(await status(get, 'GET', { 'if-none-match': `"${etag}"` })).toBe(304);
    expect(await status(get, 'GET', { 'if-none-match': '"other"' })).toBe(200);
    expect(await status(get, 'GET', { 'if-match': `"other", "${etag}"` })).toBe(200);
    expect(await status(get, 'GET', { 'if-match': '"other"' })).toBe(412);
    expect(await status(get, 'GET', { 'if-modified-since': new Date().toUTCString() })).toBe(501);
    expect(await status(put, 'PUT', { 'if-match': `"${etag}"` })).toBe(501);
    await client(objects.port).removeObject('artifacts', 'once');
  });

  it('lets a URL expire by its own clock', async () => {
    let now = Date.now();
    const timed = await startObjects({
      ...options,
      dir: path.join(dir, 'timed'),
      buckets: ['timed'],
      now: () => now,
    });
    try {
      await client(timed.port).putObject('timed', 'a', 'x');
      const url = await client(timed.port).presignedGetObject('timed', 'a', 60);
      now += 59_000;
      expect((await fetch(url)).status).toBe(200);
      now += 2_000;
      expect(await (await fetch(url)).text()).toContain('Request has expired');
    } finally {
      await timed.stop();
    }
  });
});

describe('the range header', () => {
  it.each([
    [undefined, undefined],
    ['bytes=0-4', [0, 4]],
    ['bytes=5-', [5, 9]],
    ['bytes=-3', [7, 9]],
    ['bytes=-30', [0, 9]],
    ['bytes=8-100', [8, 9]],
    ['bytes=4-2', undefined],
    ['bytes=0-1,3-4', undefined],
    ['items=0-1', undefined],
  ])('%s of ten bytes', (text, expected) => {
    expect(readRange(text, 10)).toEqual(expected);
  });

  it('cannot begin after the end', () => {
    expect(() => readRange('bytes=10-', 10)).toThrow('range');
    expect(() => readRange('bytes=-1', 0)).toThrow('range');
  });
});
