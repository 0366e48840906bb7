import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { decryptText, encryptText } from './encrypted-text.ts';

const key = randomBytes(32);

it('comes back under its key and its context only, and never the same twice', () => {
  const sealed = encryptText(key, 'app token', 'https://shop/graphql/');
  expect(decryptText(key, sealed, 'https://shop/graphql/')).toBe('app token');
  expect(sealed).not.toContain('app token');
  expect(encryptText(key, 'app token', 'https://shop/graphql/')).not.toBe(sealed);
  expect(() => decryptText(randomBytes(32), sealed, 'https://shop/graphql/')).toThrow(
    /unable to authenticate/i,
  );
  expect(() => decryptText(key, sealed, 'https://other/graphql/')).toThrow(/unable to authenticate/i);
  expect(() => decryptText(key, `${sealed.slice(0, -4)}AAAA`, 'https://shop/graphql/')).toThrow(
    /unable to authenticate/i,
  );
});
