import { expect, it } from 'vitest';
import { findSecret } from './find-secret.ts';

const secret = 'sk "demo"/+ é~ secret? 42';
const spellingsIn = async (content: string | Uint8Array, wanted = secret): Promise<string[]> =>
  (await findSecret([{ where: 'here', content }], wanted)).map(({ spelling }) => spelling);

it.each<[string, string, string | Uint8Array]>([
  ['as it is', 'plain', `Bearer ${secret}.`],
  ['in bytes', 'plain', Buffer.concat([Buffer.from([0, 255]), Buffer.from(secret)])],
  ['in JSON', 'JSON', JSON.stringify({ a: secret })],
  ['in JSON inside JSON', 'JSON', JSON.stringify(JSON.stringify({ a: secret }))],
  ['in JSON inside JSON inside JSON', 'JSON', JSON.stringify(JSON.stringify(JSON.stringify({ a: secret })))],
  ['in a URL', 'URL', `https://x.test/?key=${encodeURIComponent(secret)}&a=b`],
  [
    'in a URL with small hex digits',
    'URL',
    encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  ],
  ['in a form', 'URL', new URLSearchParams({ key: secret }).toString()],
  ['in hex', 'hex', `\\x${Buffer.from(`a${secret}b`).toString('hex')}`],
  ['in capital hex', 'hex', Buffer.from(secret).toString('hex').toUpperCase()],
  ['in base64url', 'base64url', Buffer.from(`user:${secret}??`).toString('base64url')],
  ...['', 'a', 'ab', 'abc'].flatMap((before) =>
    ['', 'c', 'cd'].map((after): [string, string, string] => [
      `in base64 between ${before.length} and ${after.length} bytes`,
      'base64',
      Buffer.from(before + secret + after).toString('base64'),
    ]),
  ),
])('finds a secret %s', async (_how, spelling, content) => {
  expect(await spellingsIn(content)).toContain(spelling);
});

it('finds nothing where there is only part of it, or another', async () => {
  for (const text of [secret.slice(0, -2), secret.slice(2), secret.replace('demo', 'Demo')])
    for (const content of [
      text,
      JSON.stringify(text),
      encodeURIComponent(text),
      Buffer.from(text).toString('hex'),
      Buffer.from(text).toString('base64'),
    ])
      expect(await spellingsIn(content)).toEqual([]);
});

it('names every part that holds it', async () => {
  const parts = [
    { where: 'one', content: secret },
    { where: 'two', content: '' },
    { where: 'three', content: Buffer.from(secret).toString('hex') },
  ];
  expect(await findSecret(parts, secret)).toEqual([
    { where: 'one', spelling: 'plain' },
    { where: 'three', spelling: 'hex' },
  ]);
});

it('refuses a secret so short that any text has it', async () => {
  await expect(spellingsIn('', 'short')).rejects.toThrow(/at least 12 bytes/);
});
