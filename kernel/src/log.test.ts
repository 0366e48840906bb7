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
