import { expect, it } from 'vitest';
import { createLog } from './log.ts';

function written(work: (log: ReturnType<typeof createLog>) => void): string {
  let text = '';
  work(createLog({ name: 'test', destination: { write: (line: string) => void (text += line) } }));
  return text;
}

it('writes neither secret members nor secret-looking text, however deep or wherever they stand', () => {
  const text = written((log) => {
    log.info(
      { headers: { authorization: 'Bearer abcdef' }, call: { body: { password: 'hunter2' } } },
      'ask_0123456789abcdef used',
    );
    log.error(
      {
        err: new Error(
          'connect postgres://app:s3cr3t@db:5432/x failed for eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.sig',
        ),
      },
      'fault',
    );
    log.warn({ token: 'tok', nested: { api: { clientSecret: 'cs' } } });
  });
  for (const secret of ['abcdef', 'hunter2', 'ask_0123456789', 's3cr3t', 'eyJhbGci', '"tok"', '"cs"'])
    expect(text).not.toContain(secret);
  expect(text).toContain('[redacted]');
});

it('redacts at any depth, in any case and under any prefix', () => {
  const fault = Object.assign(new Error('request failed'), {
    config: { request: { headers: { Authorization: 'opaque-1', 'X-Api-Key': 'opaque-2' } } },
  });
  const text = written((log) => {
    log.error({ err: fault });
    log
      .child({ sessionToken: 'opaque-3' })
      .info({ a: { b: { c: { d: { Cookie: ['opaque-4', 'opaque-5'] } } } } });
    log.info({ OIDC_CLIENT_SECRET: 'opaque-6', privateJwk: { d: 'opaque-7' } });
    log.info('sent Authorization: Bearer opaque-8 and authorization: basic b3BhcXVlLTk=');
    log.info({ body: JSON.stringify({ password: 'opaque-10', n: 1 }) });
  });
  expect(text).not.toMatch(/opaque|b3Bh/);
  for (const line of text.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ name: 'test' });
});

it('keeps what is no secret: a key, amounts, numbers of tokens, our own words', () => {
  const text = written((log) => {
    log.info({ key: 'saleor:T1:L1', topic: 'CreditsGranted', usage: { input_tokens: 20, tokenLimit: 3000 } });
    log.info({ url: 'http://shop:8000', from: 'buyer@example.test', token: null });
    log.info({ amount: 9_223_372_036_854_775_807n }, 'The authorization header is not a bearer token.');
  });
  expect(text).not.toContain('[redacted]');
  expect(text).toContain('"url":"http://shop:8000","from":"buyer@example.test"');
  expect(text).toContain('saleor:T1:L1');
  expect(text).toContain('9223372036854775807');
});
