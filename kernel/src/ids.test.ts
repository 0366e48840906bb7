import { describe, expect, it } from 'vitest';
import { fromGlobalId, isUuid, timeOfUuidv7, toGlobalId, uuidv7 } from './ids.ts';

describe('uuidv7', () => {
  it('is a version 7 UUID of RFC 9562 that carries its time', () => {
    const now = Date.now() + 10_000;
    const id = uuidv7(now);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(timeOfUuidv7(id)).toBe(now);
  });

  it('is unique and increasing over 20,000 ids, also when the clock steps back', () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => uuidv7(i % 2 ? Date.now() - 5_000 : Date.now()));
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });
});

describe('global ids', () => {
  it('go out opaque and come back only for their own type', () => {
    const id = uuidv7();
    const global = toGlobalId('Run', id);
    expect(global).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(fromGlobalId('Run', global)).toBe(id);
    expect(fromGlobalId('Instance', global)).toBeUndefined();
  });

  it.each(['', 'garbage', 'UnVuOg', Buffer.from('Run:not-a-uuid').toString('base64url')])(
    'refuses %j',
    (text) => expect(fromGlobalId('Run', text)).toBeUndefined(),
  );

  it('knows a UUID from what is not', () => expect([isUuid(uuidv7()), isUuid('x')]).toEqual([true, false]));
});
