import dns from 'node:dns';
import net from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRouter } from '../testing/open-router.ts';

const seen = new Set<string>();
const { connect } = net.Socket.prototype;
const { lookup } = dns;

beforeAll(() => {
  delete process.env['APOLLO_TELEMETRY_DISABLED'];
  net.Socket.prototype.connect = function (this: net.Socket, ...args: Parameters<typeof connect>) {
    const given: unknown = args[0];
    const [first, host] = (Array.isArray(given) ? given : args) as unknown[];
    const named = typeof first === 'object' && first !== null ? (first as { host?: string }).host : host;
    seen.add(typeof named === 'string' ? named : 'localhost');
    return connect.apply(this, args);
  } as typeof connect;
  dns.lookup = ((name: string, ...rest: unknown[]) => {
    seen.add(name);
    return (lookup as (...args: unknown[]) => void)(name, ...rest);
  }) as typeof lookup;
});
afterAll(() => {
  net.Socket.prototype.connect = connect;
  dns.lookup = lookup;
});

it('the gateway tells nobody anything: nothing but this machine is looked up or connected to', async () => {
  const router = await openRouter({ transport: 'http' });
  expect((await router.ask('{ books { rating } shop { name } }')).data).toMatchObject({
    shop: { name: 'Test shop' },
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(process.env['APOLLO_TELEMETRY_DISABLED']).toBe('1');
  expect(seen.size).toBeGreaterThan(0);
  expect([...seen].filter((host) => !/^(127\.|localhost$|::1$)/.test(host))).toEqual([]);
});
