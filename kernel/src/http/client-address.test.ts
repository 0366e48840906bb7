import { expect, it } from 'vitest';
import { listen } from '../testing/http.ts';
import { clientAddress } from './client-address.ts';

it.each<[number, string | undefined, string]>([
  [0, undefined, '127.0.0.1'],
  [0, '203.0.113.7', '127.0.0.1'],
  [1, '203.0.113.7', '203.0.113.7'],
  [1, '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  [2, '10.9.9.9, 2001:db8::1, 203.0.113.7', '2001:db8::1'],
  [2, '203.0.113.7', '127.0.0.1'],
  [1, undefined, '127.0.0.1'],
  [1, 'unknown', '127.0.0.1'],
])('behind %i proxies of ours X-Forwarded-For %s means %s', async (proxies, forwarded, address) => {
  const server = await listen(async (request) => new Response(clientAddress(request, proxies)));
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  expect(await (await fetch(server.origin, { headers })).text()).toBe(address);
});
