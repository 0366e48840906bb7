import { expect, it } from 'vitest';
import { unescape } from './entities.ts';
import { refused } from './testing/hostile.ts';
import { linkTarget } from './link-target.ts';

it.each(refused)('%j leads nowhere', (address) => {
  expect(linkTarget(unescape(address))).toBeNull();
  expect(linkTarget(address)).toBeNull();
});

it.each([
  ['https://b.example', 'https://b.example/'],
  ['HTTP://B.example/ä?c#d', 'http://b.example/%C3%A4?c#d'],
  ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
  ['mailto:a@b.example?subject=c', 'mailto:a@b.example?subject=c'],
  ['tel:+49-123', 'tel:+49-123'],
])('%j leads to %j', (address, target) => {
  expect(linkTarget(address)).toBe(target);
});
