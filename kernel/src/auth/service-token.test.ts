import { expect, it, vi } from 'vitest';
import { UnavailableError } from '../service-client.ts';
import { serviceTokenSource } from './service-token.ts';

const granted = (token: string, seconds = 300) => Response.json({ access_token: token, expires_in: seconds });

function source(answer: (asked: Request) => Response | Promise<Response>) {
  const fetch = vi.fn(async (url: string | URL | Request, init?: RequestInit) =>
    answer(new Request(url, init)),
  );
  return {
    fetch,
    token: serviceTokenSource({
      tokenUrl: 'http://op.test/token',
      clientId: 'runner',
      clientSecret: 'a secret: with a colon',
      audience: 'agentstore:internal',
      scope: ['billing:settle', 'run:own'],
      fetch,
    }),
  };
}

it('asks once for many callers, with its credentials, the audience and its scope', async () => {
  let body = '';
  let authorization = '';
  const { token, fetch } = source(async (asked) => {
    body = await asked.text();
    authorization = asked.headers.get('authorization') ?? '';
    return granted('t1');
  });
  expect(await Promise.all([token(), token(), token()])).toEqual(['t1', 't1', 't1']);
  expect(await token()).toBe('t1');
  expect(fetch).toHaveBeenCalledTimes(1);
  expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
    grant_type: 'client_credentials',
    resource: 'agentstore:internal',
    scope: 'billing:settle run:own',
  });
  expect(Buffer.from(authorization.slice('Basic '.length), 'base64').toString()).toBe(
    'runner:a%20secret%3A%20with%20a%20colon',
  );
});

it('fetches a new token a minute before the old one ends', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    let made = 0;
    const { token } = source(() => granted(`t${++made}`, 300));
    expect(await token()).toBe('t1');
    vi.advanceTimersByTime(239_000);
    expect(await token()).toBe('t1');
    vi.advanceTimersByTime(2_000);
    expect(await token()).toBe('t2');
  } finally {
    vi.useRealTimers();
  }
});

it.each<[string, () => Response | Promise<Response>]>([
  ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
  ['answers 503', () => new Response('', { status: 503 })],
  ['answers with something else than JSON', () => new Response('<html>')],
  [
    'cuts its answer',
    () => new Response(new ReadableStream({ pull: (body) => body.error(new TypeError('terminated')) })),
  ],
  ['answers without a token', () => Response.json({ error: 'slow_down' })],
])('says UNAVAILABLE when the provider %s, and asks again at the next call', async (_name, fault) => {
  let asked = 0;
  const { token } = source(() => (++asked === 1 ? fault() : granted('after')));
  await expect(token()).rejects.toBeInstanceOf(UnavailableError);
  expect(await token()).toBe('after');
});
