import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptsOrigin, parseAllowedDomains, whyOrigin } from './allowed-domain.ts';

const inPublic = { loopbackOrigins: false };
const inDevelopment = { loopbackOrigins: true };
const read = (entries: readonly string[], rules = inPublic) => {
  const { domains, faults } = parseAllowedDomains(entries, rules);
  expect(faults).toEqual([]);
  return domains;
};

/** What the hostile and the honest origins below are tried against. */
const list = read([
  'example.com',
  '*.shop.example.com',
  'http://old.example.org',
  'https://example.net:8443',
  '*.münchen.example',
  'https://203.0.113.7',
  'https://[2001:db8::7]:8443',
  'mine.github.io',
  '*.amazonaws.com',
]);
const sites = ['example.com', 'a.shop.example.com', 'old.example.org', 'mine.github.io', '203.0.113.7'];
const each = (name: string, make: (host: string) => string): readonly (readonly [string, string])[] =>
  sites.map((host) => [`${name}: ${host}`, make(host)]);
const some = (name: string, origins: readonly string[]): readonly (readonly [string, string])[] =>
  origins.map((origin, index) => [`${name} ${index + 1}`, origin]);
const scheme = (host: string): string => (host === 'old.example.org' ? 'http' : 'https');
const web = (host: string, more = ''): string => `${scheme(host)}://${host}${more}`;

const hostile: readonly (readonly [name: string, origin: string])[] = [
  ...each('the other scheme', (host) => `${scheme(host) === 'http' ? 'https' : 'http'}://${host}`),
  ...each('a port of its own', (host) => web(host, ':8080')),
  ...each("the other scheme's port", (host) => web(host, scheme(host) === 'http' ? ':443' : ':80')),
  // Of the one below a wildcard, before what the wildcard names.
  ...each('with letters before it', (host) => web(host.replace(/^(a\.)?/, '$1evil'))),
  ...each('with a word before it', (host) => web(host.replace(/^(a\.)?/, '$1evil-'))),
  ...each('as a label of another', (host) => web(host, '.evil.example')),
  ...each('with letters after it', (host) => web(host, 'evil')),
  ...each('with a word after it', (host) => web(host, '-evil.example')),
  ...each('with dots for dashes', (host) => web(host.replaceAll('.', '-'), '.evil.example')),
  ...each('as a user', (host) => web(host, '@evil.example')),
  ...each('as a user with a password', (host) => web(host, ':pw@evil.example')),
  ...each('with a user', (host) => `${scheme(host)}://evil@${host}`),
  ...each('with a path', (host) => web(host, '/')),
  ...each('with a deep path', (host) => web(host, '/a/b')),
  ...each('with a query', (host) => web(host, '?a=b')),
  ...each('with a fragment', (host) => web(host, '#evil.example')),
  ...each('as a path of another', (host) => `https://evil.example/${host}`),
  ...each('as a query of another', (host) => `https://evil.example?${host}`),
  ...each('as a fragment of another', (host) => `https://evil.example#${host}`),
  ...each('with a backslash', (host) => web(host, '\\.evil.example')),
  ...each('behind a backslash', (host) => `https://evil.example\\@${host}`),
  ...each('escaped', (host) => web(host.replaceAll('.', '%2e'))),
  ...each('with an escaped slash', (host) => web(host, '%2f.evil.example')),
  ...each('with an escaped zero', (host) => web(host, '%00.evil.example')),
  ...each('with a zero', (host) => web(host, '\0.evil.example')),
  ...each('with a new line', (host) => web(host, '\n')),
  ...each('with another line', (host) => web(host, `\r\nOrigin: https://evil.example`)),
  ...each('with a space before', (host) => ` ${web(host)}`),
  ...each('with a space after', (host) => `${web(host)} `),
  ...each('with a tab in it', (host) => web(host.replace('.', '\t.'))),
  ...each('twice', (host) => `${web(host)} ${web(host)}`),
  ...each('with another', (host) => `${web(host)}, https://evil.example`),
  ...each('after another', (host) => `https://evil.example ${web(host)}`),
  ...each('with an ideographic full stop', (host) => web(host.replaceAll('.', '。'))),
  ...each('in full width', (host) =>
    web(host.replace(/[a-z0-9]/, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))),
  ),
  ...each('with a soft hyphen', (host) => web(host.replace('.', '\u00ad.'))),
  ...each('with a zero-width space', (host) => web(host, '\u200b')),
  ...each('with two dots at its end', (host) => web(host, '..')),
  ...each('with an empty label', (host) => web(host.replace('.', '..'))),
  ...each('with a dot before it', (host) => web(`.${host}`)),
  ...each('with an empty port', (host) => web(host, ':')),
  ...each('with port 0', (host) => web(host, ':0')),
  ...each('with zeros before its port', (host) => web(host, ':0443')),
  ...each('with a port too high', (host) => web(host, ':65979')),
  ...each('with two ports', (host) => web(host, ':443:443')),
  ...each('with a port in letters', (host) => web(host, ':https')),
  ...each('without slashes', (host) => `${scheme(host)}:${host}`),
  ...each('with one slash', (host) => `${scheme(host)}:/${host}`),
  ...each('with three slashes', (host) => `${scheme(host)}:///${host}`),
  ...each('without a scheme', (host) => host),
  ...each('relative to a scheme', (host) => `//${host}`),
  ...each('of a socket', (host) => `wss://${host}`),
  ...each('of a file', (host) => `file://${host}`),
  ...each('of an extension', (host) => `chrome-extension://${host}`),
  ...each('of a blob', (host) => `blob:${web(host)}`),
  ...each('of a view of the source', (host) => `view-source:${web(host)}`),
  ...each('in brackets', (host) => `${scheme(host)}://[${host}]`),
  ...each('with a star', (host) => web(`*.${host}`)),
  ...some('no origin', [
    '',
    'null',
    'NULL',
    'undefined',
    '*',
    'https://',
    'https',
    'about:blank',
    'data:text/html,x',
    '{}',
    '[]',
    '://',
    'https://*',
  ]),
  ...some('below an exact host', [
    'https://www.example.com',
    'https://shop.example.com.example.com',
    'https://x.mine.github.io',
  ]),
  ...some('the apex of a wildcard', [
    'https://shop.example.com',
    'https://shop.example.com.',
    'https://xn--mnchen-3ya.example',
    'https://amazonaws.com',
  ]),
  ...some('a neighbour of a wildcard', [
    'https://evilshop.example.com',
    'https://a.b.example.com',
    'https://a.shop.example.org',
    'https://shop.example.com.evil.example',
    'https://a-shop.example.com',
  ]),
  ...some('another customer of a provider', [
    'https://yours.github.io',
    'https://github.io',
    'https://bucket.s3.amazonaws.com',
    'https://x.us-east-1.elasticbeanstalk.com',
    'https://evil.s3.eu-west-1.amazonaws.com',
  ]),
  ...some('one that looks alike', [
    'https://ехample.com',
    'https://xn--xample-2of.com',
    'https://exаmple.com',
    'https://examp1e.com',
    'https://example.corn',
    'https://example.co',
    'https://example.cοm',
    'https://xn--mnchen-3yb.example',
    'https://a.munchen.example',
    'https://httpſ.example.com',
    'httpſ://example.com',
    'https://eXample.cOm.evil.example',
  ]),
  ...some('an address in other words', [
    'https://3405803783',
    'https://0xcb007107',
    'https://0313.0.0161.07',
    'https://203.0.28935',
    'https://203.0.113.07',
    'https://203.0.113.7.',
    'https://[::ffff:203.0.113.7]',
    'https://[::ffff:cb00:7107]',
    'https://203.0.113.8',
    'https://1.203.0.113.7',
  ]),
  ...some('an address of IPv6 in other words', [
    'https://[2001:db8::7]',
    'https://[2001:db8:0:0:0:0:0:7]:8443',
    'https://[2001:0db8::7]:8443',
    'https://2001:db8::7:8443',
    'https://[2001:db8::7',
    'https://[2001:db8::8]:8443',
    'https://[2001:db8::7%25eth0]:8443',
  ]),
  ...some('the own machine', [
    'http://localhost',
    'http://localhost:3000',
    'https://localhost',
    'http://127.0.0.1',
    'http://127.0.0.1:8443',
    'http://[::1]',
    'http://0.0.0.0',
    'http://example.com.localhost',
    'http://localhost.example.com',
  ]),
  ...some('too long', [
    `https://${'a.'.repeat(130)}shop.example.com`,
    `https://${'a'.repeat(64)}.shop.example.com`,
    `https://${'a'.repeat(100_000)}.shop.example.com`,
  ]),
  ...some('no name of a host', [
    'https://-.shop.example.com',
    'https://-a.shop.example.com',
    'https://a-.shop.example.com',
    'https://a b.shop.example.com',
    'https://a!.shop.example.com',
    'https://*.shop.example.com',
    'https://a..shop.example.com',
    'https://<script>.shop.example.com',
    "https://a'.shop.example.com",
    'https://a,b.shop.example.com',
    'https://{a}.shop.example.com',
    'https://a|b.shop.example.com',
    'https://a^b.shop.example.com',
    'https://a`b.shop.example.com',
    'https://a$.shop.example.com',
    'https://a&b.shop.example.com',
    'https://a(b).shop.example.com',
    'https://a+b.shop.example.com',
    'https://a=b.shop.example.com',
    'https://a;b.shop.example.com',
    'https://a~b.shop.example.com',
  ]),
];

const honest: readonly (readonly [origin: string, normalised: string])[] = [
  ['https://example.com', 'https://example.com'],
  ['https://example.com:443', 'https://example.com'],
  ['https://example.com.', 'https://example.com'],
  ['HTTPS://Example.COM', 'https://example.com'],
  ['https://a.shop.example.com', 'https://a.shop.example.com'],
  ['https://a.b.c.shop.example.com', 'https://a.b.c.shop.example.com'],
  ['https://a-1.shop.example.com', 'https://a-1.shop.example.com'],
  ['https://a_b.shop.example.com', 'https://a_b.shop.example.com'],
  ['https://0.shop.example.com', 'https://0.shop.example.com'],
  [`https://${'a'.repeat(63)}.shop.example.com`, `https://${'a'.repeat(63)}.shop.example.com`],
  ['http://old.example.org', 'http://old.example.org'],
  ['http://old.example.org:80', 'http://old.example.org'],
  ['https://example.net:8443', 'https://example.net:8443'],
  ['https://www.xn--mnchen-3ya.example', 'https://www.xn--mnchen-3ya.example'],
  ['https://203.0.113.7', 'https://203.0.113.7'],
  ['https://[2001:db8::7]:8443', 'https://[2001:db8::7]:8443'],
  ['https://mine.github.io', 'https://mine.github.io'],
  ['https://console.aws.amazonaws.com', 'https://console.aws.amazonaws.com'],
];

describe('an origin', () => {
  it('is tried in more than 200 hostile ways, each another', () => {
    expect(new Set(hostile.map(([, origin]) => origin)).size).toBeGreaterThan(300);
    expect(new Set(hostile.map(([name]) => name)).size).toBe(hostile.length);
  });
  it.each(hostile)('is refused: %s', (_name, origin) => {
    expect(acceptsOrigin(list, origin)).toBeUndefined();
  });
  it.each(honest)('is accepted: %s', (origin, normalised) => {
    expect(acceptsOrigin(list, origin)).toBe(normalised);
    expect(acceptsOrigin(list, normalised)).toBe(normalised);
  });
  it('that is not sent is refused, and where no site is allowed every one', () => {
    expect([undefined, null].map((none) => acceptsOrigin(list, none))).toEqual([undefined, undefined]);
    expect(honest.map(([origin]) => acceptsOrigin([], origin)).filter(Boolean)).toEqual([]);
  });

  const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
  const host = fc
    .array(label, { minLength: 1, maxLength: 3 })
    .map((labels) => [...labels, 'example.com'].join('.'));
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });

  it('is accepted by an exact entry when it is this host, and by a wildcard when it is below', () => {
    fc.assert(
      fc.property(host, host, port, port, (one, other, onePort, otherPort) => {
        const at = (name: string, number: number | undefined): string =>
          `https://${name}${number === undefined ? '' : `:${number}`}`;
        const [exact, wildcard] = [read([at(one, onePort)]), read([at(`*.${one}`, onePort)])];
        const samePort = (onePort ?? 443) === (otherPort ?? 443);
        const origin = at(other, otherPort);
        expect(acceptsOrigin(exact, origin) !== undefined).toBe(samePort && other === one);
        expect(acceptsOrigin(wildcard, origin) !== undefined).toBe(samePort && other.endsWith(`.${one}`));
        expect(acceptsOrigin(wildcard, at(`x.${one}`, onePort))).toBe(
          new URL(at(`x.${one}`, onePort)).origin,
        );
      }),
    );
  });
  it('is accepted only as a browser would write it, whatever is sent', () => {
    const piece = fc.constantFrom(
      'https:',
      '//',
      'example.com',
      'evil.example',
      '.',
      ':',
      '443',
      '@',
      '\\',
      '/',
      '#',
      '?',
      '%2e',
      ' ',
      ',',
      '*',
      'null',
      '\0',
      '。',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const sent = pieces.join('');
        expect(['https://example.com', undefined]).toContain(acceptsOrigin(read(['example.com']), sent));
        expect(acceptsOrigin(read(['example.com']), sent) === undefined).toBe(
          ![
            'https://example.com',
            'https://example.com.',
            'https://example.com:443',
            'https://example.com.:443',
          ].includes(sent),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an entry', () => {
  it.each([
    ['example.com', 'example.com'],
    ['  Example.COM. ', 'example.com'],
    ['https://example.com', 'example.com'],
    ['https://example.com:443', 'example.com'],
    ['example.com:8443', 'https://example.com:8443'],
    ['http://example.com:80', 'http://example.com'],
    ['*.example.com', '*.example.com'],
    ['http://*.example.com:8080', 'http://*.example.com:8080'],
    ['münchen.de', 'xn--mnchen-3ya.de'],
    ['*.例え.jp', '*.xn--r8jz45g.jp'],
    ['mine.vercel.app', 'mine.vercel.app'],
    ['*.mine.vercel.app', '*.mine.vercel.app'],
    ['shop.co.uk', 'shop.co.uk'],
    ['crm.corp.internal', 'crm.corp.internal'],
    ['https://192.0.2.1:8443', 'https://192.0.2.1:8443'],
    ['http://[2001:DB8::1]', 'http://[2001:db8::1]'],
  ])('is kept, %j as %j', (entry, text) => {
    const domains = read([entry]);
    expect(domains.map((domain) => domain.text)).toEqual([text]);
    expect(read([text])).toEqual(domains);
  });

  it.each([
    '*',
    '*.*',
    '*.com',
    'com',
    'co.uk',
    '*.co.uk',
    'vercel.app',
    '*.vercel.app',
    '*.github.io',
    'github.io',
    '*.s3.amazonaws.com',
    'intranet',
    '*.local',
  ])('that is everybody’s is refused: %s', (entry) =>
    expect(parseAllowedDomains([entry], inPublic)).toMatchObject({
      domains: [],
      faults: [expect.any(String)],
    }),
  );
  it.each([
    '',
    ' ',
    '.',
    '..',
    'null',
    'https://',
    '://example.com',
    '//example.com',
    'example.com/',
    'https://example.com/path',
    'example.com?x',
    'example.com#x',
    'user@example.com',
    'https://user:pw@example.com',
    'ftp://example.com',
    'wss://example.com',
    'javascript:alert(1)',
    'a..example.com',
    '.example.com',
    'foo.*.example.com',
    '*example.com',
    '**.example.com',
    'example.com..',
    '-a.example.com',
    'a-.example.com',
    'a b.example.com',
    'example.com, example.org',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:8443:1',
    'example.com:*',
    '*.example.com:*',
    'example.com:http',
    'example%2ecom',
    'example。com',
    'https:example.com',
    'https:\\\\example.com',
    'httpſ://example.com',
    '192.0.2.1',
    '*.192.0.2.1',
    'https://*.192.0.2.1',
    'https://192.0.2.01',
    'https://3221225985',
    'https://0xc0000201',
    'https://192.0.2',
    '[2001:db8::1]',
    'https://[2001:db8:0::1]',
    'https://[nonsense]',
    'https://192.0.2.1:*',
    'localhost',
    'localhost:*',
    'http://localhost:3000',
    'a.localhost',
    'http://127.0.0.1',
    'http://127.0.0.1:*',
    'http://127.8.8.8',
    'http://[::1]:*',
    'http://0.0.0.0',
    `${'a'.repeat(64)}.example.com`,
    `${'a.'.repeat(122)}example.com`,
  ])('that is no site of one owner is refused: %j', (entry) => {
    expect(parseAllowedDomains([entry], inPublic)).toMatchObject({
      domains: [],
      faults: [expect.any(String)],
    });
  });

  it('of the own machine is for development, with any port or one, and never below it', () => {
    const own = read(
      ['localhost:*', 'http://127.0.0.1:*', 'https://localhost', 'app.localhost:3000', 'http://[::1]:*'],
      inDevelopment,
    );
    expect(own.map(({ text }) => text)).toEqual([
      'http://localhost:*',
      'http://127.0.0.1:*',
      'https://localhost',
      'http://app.localhost:3000',
      'http://[::1]:*',
    ]);
    expect(
      read(
        own.map(({ text }) => text),
        inDevelopment,
      ),
    ).toEqual(own);
    for (const origin of [
      'http://localhost',
      'http://localhost:3000',
      'http://127.0.0.1:40001',
      'https://localhost',
      'http://app.localhost:3000',
      'http://[::1]:8080',
    ])
      expect(acceptsOrigin(own, origin)).toBe(origin);
    for (const origin of [
      'https://localhost:3000',
      'http://b.localhost:3000',
      'http://127.0.0.2:3000',
      'http://localhost.evil.example:3000',
      'http://app.localhost',
    ])
      expect({ origin, by: acceptsOrigin(own, origin) }).toEqual({ origin, by: undefined });
    for (const entry of [
      '*.localhost',
      'http://*.127.0.0.1',
      '127.0.0.1:*',
      'http://127.1:*',
      'example.com:*',
    ])
      expect(parseAllowedDomains([entry], inDevelopment)).toMatchObject({
        domains: [],
        faults: [expect.any(String)],
      });
  });

  it('is one when it is there twice, and there are at most 100', () => {
    expect(read(['example.com', 'EXAMPLE.com.', 'https://example.com:443'])).toHaveLength(1);
    const entries = Array.from({ length: 101 }, (_, index) => `s${index}.example.com`);
    expect(read(entries.slice(1))).toHaveLength(100);
    expect(parseAllowedDomains(entries, inPublic).faults).toEqual(['At most 100 can be allowed.']);
  });

  it('that is refused is named, beside all others that are', () => {
    const { domains, faults } = parseAllowedDomains(['good.example', 'co.uk', 'a/b'], inPublic);
    expect(domains.map(({ text }) => text)).toEqual(['good.example']);
    expect(faults).toEqual([
      expect.stringContaining('"co.uk" is a public suffix'),
      expect.stringContaining('"a/b" is no host'),
    ]);
  });
});

it.each([
  ['https://example.com', 'example.com accepts it.'],
  ['http://example.com', 'example.com has this host with another scheme or port.'],
  ['https://example.com:8443', 'example.com has this host with another scheme or port.'],
  [
    'https://shop.example.com',
    '*.shop.example.com stands for what is below this host, not for the host itself.',
  ],
  ['https://www.example.com', 'No entry has this host.'],
  ['https://bucket.s3.amazonaws.com', 'No entry has this host.'],
])('says why of %s: %s', (origin, reason) => {
  expect(whyOrigin(list, origin)).toBe(reason);
});
it('says why where there is nothing to compare', () => {
  expect(whyOrigin([], 'https://example.com')).toBe('No site is allowed yet.');
  expect(whyOrigin(list, 'www.example.com')).toMatch(/^This is no origin/);
});
