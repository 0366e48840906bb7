import { expect, it } from 'vitest';
import { redactResult } from './redact.ts';

const value = 's3cr&t "p<a>s/s"+ké~\\';
const bytes = Buffer.from(value);
const secret = { version: 1, fields: new Map([['apiKey', bytes]]) };
const mask = (text: string) => redactResult({ content: [{ type: 'text', text }], isError: false }, secret);

/** How programs write a text, beside others. */
const writings: Record<string, (text: string) => string> = {
  plain: (text) => text,
  json: (text) => JSON.stringify(text),
  'json in json': (text) => JSON.stringify(JSON.stringify(text)),
  'json of PHP': (text) => JSON.stringify(text).replaceAll('/', '\\/'),
  'json of Go': (text) =>
    JSON.stringify(text).replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'),
  'json of Python': (text) => JSON.stringify(text).replaceAll('é', '\\u00e9'),
  'json of PHP for HTML': (text) =>
    JSON.stringify(text)
      .replaceAll('\\"', '\\u0022')
      .replaceAll('/', '\\/')
      .replaceAll('é', '\\u00e9')
      .replace(/[<>&']/g, (one) => `\\u00${one.charCodeAt(0).toString(16).toUpperCase()}`),
  'escaped characters': (text) =>
    Array.from(
      { length: text.length },
      (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`,
    ).join(''),
  hex: (text) => Buffer.from(text).toString('hex'),
  'HEX of a dump': (text) => Buffer.from(text).toString('hex').toUpperCase().match(/../g)!.join(' '),
  url: encodeURIComponent,
  'url in small letters': (text) => encodeURIComponent(text).replace(/%../g, (one) => one.toLowerCase()),
  form: (text) => new URLSearchParams({ text }).toString(),
  'every byte in percent': (text) => Buffer.from(text).toString('hex').replace(/../g, '%$&'),
  html: (text) =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  'html in numbers': (text) =>
    Array.from(text)
      .map((one) => `&#${one.codePointAt(0)};`)
      .join(''),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'UTF-16 read as UTF-8': (text) => Array.from(text).join('\0'),
};

it.each(Object.keys(writings))('masks the secret written as %s, wherever it stands among others', (name) => {
  const write = writings[name]!;
  for (const before of ['', 'x', 'xy', 'xyz']) {
    const { result, redactions } = mask(`<${write(`${before}${value}${before}`)}>`);
    expect(JSON.stringify(result)).toContain('[redacted:secret]');
    expect(redactions).toHaveLength(1);
    // What is left holds nothing by which the middle of the secret could be read.
    expect(JSON.stringify(result)).not.toContain(write('p<a>s').replaceAll('=', '').slice(2, 6));
  }
});

it('masks values, names and numbers of structured content, and says where', () => {
  const number = { version: 1, fields: new Map([['pin', Buffer.from('48151623')]]) };
  const { result, redactions } = redactResult(
    {
      content: [{ type: 'image', data: Buffer.from('...48151623').toString('base64') }],
      structuredContent: { list: [{ '48151623': 48151623 }], other: 4, none: null, yes: true },
      isError: false,
    },
    number,
  );
  expect(result.structuredContent).toEqual({
    list: [{ '[redacted:secret]': '[redacted:secret]' }],
    other: 4,
    none: null,
    yes: true,
  });
  expect(redactions).toEqual(['body:base64', 'structured:plain']);
});

it('leaves everything else as it is, and knows no secret of less than four bytes', () => {
  const text = 'nothing here, not even s3cr or cr&t';
  expect(mask(text)).toEqual({
    result: { content: [{ type: 'text', text }], isError: false },
    redactions: [],
  });
  const short = { version: 1, fields: new Map([['pin', Buffer.from('not')]]) };
  const result = { content: [{ type: 'text', text }], isError: false };
  expect(redactResult(result, short)).toEqual({ result, redactions: [] });
  expect(redactResult(result, null)).toEqual({ result, redactions: [] });
});

it('masks the longest secret that can be bound, and beside letters that are longer when they are small', () => {
  const long = { version: 1, fields: new Map([['key', Buffer.from('aZ/"<'.repeat(1_638))]]) };
  const plain = long.fields.get('key')!.toString();
  for (const text of [plain, JSON.stringify(plain), encodeURIComponent(plain)]) {
    const { result } = redactResult(
      { content: [{ type: 'text', text: `İ ${text} İ` }], isError: false },
      long,
    );
    expect(result.content[0]!['text']).toMatch(/^İ "?\[redacted:secret\]"? İ$/);
  }
});
