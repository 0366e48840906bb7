import { expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { Secret } from '@agentstore/kernel/vault/secret-store';
import { createSecretCache } from './secret-cache.ts';

const ref = { organizationId: uuidv7(), projectId: uuidv7(), bindingId: uuidv7() };

function open(options: { isCurrent?: () => boolean; entries?: number; ttlMs?: number } = {}) {
  const read: { answer: (version: number) => Secret; fail: (error: Error) => void }[] = [];
  const cache = createSecretCache({
    reader: {
      read: () =>
        new Promise<Secret>((resolve, reject) => {
          read.push({
            answer: (version) => {
              const secret = { version, fields: new Map([['key', Buffer.from(`value-${version}`)]]) };
              resolve(secret);
              return secret;
            },
            fail: reject,
          });
        }),
    },
    ttlMs: options.ttlMs ?? 60_000,
    entries: options.entries ?? 10,
    isCurrent: options.isCurrent ?? (() => true),
  });
  const valueOf = async (lease: ReturnType<typeof cache.lease>) =>
    (await lease).secret.fields.get('key')!.toString();
  return { cache, read, valueOf };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('reads once for all who ask meanwhile, and gives each a copy, which it overwrites', async () => {
  const { cache, read } = open();
  const asked = Array.from({ length: 100 }, () => cache.lease(ref));
  read[0]!.answer(1);
  const [first, second] = await Promise.all(asked);
  expect(read).toHaveLength(1);
  first!.release();
  expect(first!.secret.fields.get('key')).toEqual(Buffer.alloc(7));
  expect(second!.secret.fields.get('key')!.toString()).toBe('value-1');
  expect((await cache.lease(ref)).secret.version).toBe(1);
});

it('overwrites what it forgets: dropped, pushed out, cleared, or never kept', async () => {
  let isCurrent = true;
  const { cache, read, valueOf } = open({ entries: 1, isCurrent: () => isCurrent });
  const zeroed = Buffer.alloc(7);
  const keep = async (one: typeof ref, version: number) => {
    const asked = cache.lease(one);
    const secret = read.at(-1)!.answer(version);
    await asked;
    return secret.fields.get('key')!;
  };
  const dropped = await keep(ref, 1);
  expect(dropped.toString()).toBe('value-1');
  cache.drop(ref.bindingId);
  expect(dropped).toEqual(zeroed);
  const pushedOut = await keep(ref, 2);
  const cleared = await keep({ ...ref, bindingId: uuidv7() }, 3);
  expect(pushedOut).toEqual(zeroed);
  cache.clear();
  expect(cleared).toEqual(zeroed);
  isCurrent = false;
  const asked = valueOf(cache.lease(ref));
  const unkept = read.at(-1)!.answer(4).fields.get('key')!;
  expect(await asked).toBe('value-4');
  await turn();
  expect(unkept).toEqual(zeroed);
});

it('a read that began before a drop answers nobody who asks after it, and is not kept', async () => {
  const { cache, read, valueOf } = open();
  const before = valueOf(cache.lease(ref));
  cache.drop(ref.bindingId);
  const after = valueOf(cache.lease(ref));
  read[1]!.answer(2);
  expect(await after).toBe('value-2');
  read[0]!.answer(1);
  expect(await before).toBe('value-1');
  expect(await valueOf(cache.lease(ref))).toBe('value-2');
  expect(read).toHaveLength(2);
});

it('keeps nothing while nobody tells what was taken back, and no failure', async () => {
  let isCurrent = false;
  const { cache, read, valueOf } = open({ isCurrent: () => isCurrent });
  for (const version of [1, 2]) {
    const asked = valueOf(cache.lease(ref));
    read.at(-1)!.answer(version);
    expect(await asked).toBe(`value-${version}`);
  }
  isCurrent = true;
  const failed = cache.lease(ref);
  read.at(-1)!.fail(new Error('sealed'));
  await expect(failed).rejects.toThrow('sealed');
  const again = valueOf(cache.lease(ref));
  read.at(-1)!.answer(4);
  expect(await again).toBe('value-4');
  expect(read).toHaveLength(4);
});

it('keeps nothing for no time', async () => {
  const { cache, read, valueOf } = open({ ttlMs: 0 });
  for (const version of [1, 2]) {
    const asked = valueOf(cache.lease(ref));
    read.at(-1)!.answer(version);
    expect(await asked).toBe(`value-${version}`);
  }
  expect(read).toHaveLength(2);
});

it("another tenant's path to the same binding is another secret", async () => {
  const { cache, read, valueOf } = open();
  const own = valueOf(cache.lease(ref));
  const others = cache.lease({ ...ref, organizationId: uuidv7() });
  expect(read).toHaveLength(2);
  read[0]!.answer(1);
  read[1]!.fail(new Error('denied'));
  expect(await own).toBe('value-1');
  await expect(others).rejects.toThrow('denied');
});
