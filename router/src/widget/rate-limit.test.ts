import { expect, it } from 'vitest';
import { createRateLimit, networkOf } from './rate-limit.ts';

it('lets a minute’s worth pass at once, then one at a time, each key by itself', () => {
  let now = 0;
  const limit = createRateLimit(3, () => now);
  const takes = (key: string, times: number) => Array.from({ length: times }, () => limit.take(key));
  expect(takes('a', 4)).toEqual([0, 0, 0, 20]);
  expect(limit.take('b')).toBe(0);
  now += 19_000;
  expect(limit.take('a')).toBe(1);
  now += 1_000;
  expect(takes('a', 2)).toEqual([0, 20]);
  now += 3_600_000;
  expect(takes('a', 4)).toEqual([0, 0, 0, 20]);
});

it('follows whoever goes by another key from now on', () => {
  const limit = createRateLimit(2, () => 0);
  limit.take('first');
  limit.rename('first', 'second');
  limit.rename('unknown', 'third');
  expect([limit.take('second'), limit.take('second'), limit.take('third')]).toEqual([0, 30, 0]);
});

it('forgets keys that were not seen for long, and grows no further', () => {
  const limit = createRateLimit(1, () => 0);
  limit.take('old');
  expect(limit.take('old')).toBe(60);
  for (let n = 0; n < 20_000; n++) limit.take(`key ${n}`);
  expect(limit.take('old')).toBe(0);
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:1:0002::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['', ''],
])('%s is of %s', (address, network) => expect(networkOf(address)).toBe(network));
