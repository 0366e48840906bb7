import { execFile } from 'node:child_process';
import path from 'node:path';
import { freePort } from '@agentstore/kernel/testing/http';
import { expect, it } from 'vitest';
import { useShop } from '../dev/shop/testing/shop.ts';
import { answering, between } from './testing/between.ts';
import { limitedToken } from './testing/limited-token.ts';

const under = useShop({ empty: true });
const proxy = await between(() => under.shop.url);

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}
/** Runs the command as npm does. */
const command = (args: readonly string[], token?: string): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [path.join(import.meta.dirname, 'setup.ts'), ...args],
      { env: { ...process.env, SALEOR_TOKEN: token } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
const staff = async () => ['--url', proxy.url, '--token', await under.shop.staffToken()];

it('makes the catalogue and prints the ids, and again as JSON with the token from the environment', async () => {
  const first = await command(await staff());
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout).toContain('made    channel default-channel\n');
  expect(first.stdout).toMatch(/\n {2}AGENT-PRO-M {10}UHJvZHVjdFZhcmlhbnQ6\S+\n/);
  const second = await command(['--url', proxy.url, '--json'], await under.shop.staffToken());
  expect(second).toMatchObject({ code: 0, stderr: '' });
  const sold = JSON.parse(second.stdout) as { variants: Record<string, { id: string; sku: string }> };
  expect(Object.keys(sold.variants)).toEqual(['basic', 'pro', 'enterprise', 'pack1000', 'pack5000']);
  expect(first.stdout).toContain(sold.variants['pro']!.id);
  expect((await command(await staff())).stdout).not.toMatch(/^(made|mended)/m);
});

it('warns of another version and goes on', async () => {
  proxy.version = '3.21.4';
  const ended = await command(await staff());
  proxy.version = undefined;
  expect(ended.code).toBe(0);
  expect(ended.stderr).toMatch(/is Saleor 3\.21\.4; this was tried on 3\.22\. Going on\.\n$/);
  expect(ended.stdout).toContain('kept    variant CREDITS-5000\n');
});

it('tells its usage', async () => {
  const help = await command(['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('Usage: npm run saleor:setup -- --url');
});

it.each([
  { what: 'an unknown flag', args: ['--url', 'http://localhost/', '--token', 't', '--price', '1'] },
  { what: 'no token', args: ['--url', 'http://localhost/'] },
  { what: 'no URL', args: ['--token', 't'] },
  { what: 'a URL that is none', args: ['--url', 'shop', '--token', 't'] },
])('answers $what with its usage and exit code 2', async ({ args }) => {
  const ended = await command(args);
  expect(ended).toMatchObject({ code: 2, stdout: '' });
  expect(ended.stderr).toContain('Usage: npm run saleor:setup -- --url');
});

it('ends with one sentence and exit code 1 when the token may not', async () => {
  const ended = await command(['--url', proxy.url, '--token', await limitedToken(under), '--channel', 'new']);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain(
    'It needs MANAGE_CHANNELS, MANAGE_PRODUCTS, MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES and MANAGE_ORDERS.\n',
  );
  expect(ended.stderr).not.toContain('    at ');
});

it('ends with one sentence and exit code 1 in a channel of another currency', async () =>
  expect(await command([...(await staff()), '--currency', 'EUR'])).toMatchObject({
    code: 1,
    stderr: 'The channel default-channel sells in USD, not EUR. Name another channel, or its currency.\n',
  }));

it('ends with one sentence and exit code 1 where no Saleor answers', async () => {
  const at = async (url: string) => {
    const { code, stderr } = await command(['--url', url, '--token', 't']);
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 1, lines: 2 });
    return stderr;
  };
  expect(await at(await answering('<p>Hello</p>', 'text/html'))).toContain('not a GraphQL endpoint');
  expect(await at(`http://127.0.0.1:${await freePort()}/`)).toContain('cannot be reached');
  expect(
    await at(
      await answering('{"errors":[{"message":"Cannot query field \\"shop\\"."}]}', 'application/json'),
    ),
  ).toContain('speaks GraphQL and is no Saleor: Cannot query field "shop".');
});
