import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { testDatabase } from '@agentstore/kernel/testing/database';
import { afterAll, expect, it } from 'vitest';
import { askSaleor } from '../../saleor/ask-saleor.ts';
import { installApp } from './seed-app.ts';
import { seedShop } from './seed.ts';
import { shopAdmin } from './server.ts';
import { useReceiver } from './testing/receiver.ts';
import { buy, checkout, complete } from './testing/buying.ts';
import type { ShopUnderTest } from './testing/shop.ts';

const receiver = useReceiver();
const stateDir = fs.mkdtempSync(path.join(os.tmpdir(), 'dev-shop-'));
const processes: ChildProcess[] = [];
afterAll(() => {
  processes.forEach((child) => child.kill('SIGKILL'));
  fs.rmSync(stateDir, { recursive: true });
});

async function start(databaseUrl: string): Promise<{ child: ChildProcess; under: ShopUnderTest }> {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'testing/shop-process.ts'), databaseUrl, stateDir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  processes.push(child);
  const url = await new Promise<string>((resolve) =>
    child.stdout!.once('data', (text: Buffer) => resolve(text.toString().trim())),
  );
  const staffToken = async (): Promise<string> => {
    const answer = await askSaleor<{ tokenCreate: { token: string } }>(
      { url, token: '' },
      'mutation($email: String!, $password: String!) { tokenCreate(email: $email, password: $password) { token errors { message } } }',
      shopAdmin,
    );
    return answer.tokenCreate.token;
  };
  const under = {
    shop: { url, staffToken },
    ask: async (query: string, variables?: object, token?: string) =>
      askSaleor({ url, token: token ?? (await staffToken()) }, query, variables),
  };
  return {
    child,
    under: { ...under, seeded: await seedShop({ url, staffToken }) } as unknown as ShopUnderTest,
  };
}

it('after kill -9 has every order and checkout it answered, the same key, and sends what was pending', async () => {
  const { url: databaseUrl } = await testDatabase();
  const first = await start(databaseUrl);
  receiver.manifest = {
    id: 'restart.app',
    version: '1',
    name: 'Restart',
    tokenTargetUrl: `${receiver.origin}/register`,
    webhooks: [
      {
        name: 'paid',
        targetUrl: `${receiver.origin}/paid`,
        query: 'subscription { event { ... on OrderFullyPaid { order { id } } } }',
      },
    ],
  };
  await installApp(first.under.shop, `${receiver.origin}/manifest`);
  let held = true;
  receiver.answer = (one) => (one.path === '/paid' && held ? new Promise<number>(() => undefined) : 200);
  const order = await buy(first.under, { pay: '29' });
  const open = await checkout(first.under);
  const token = await first.under.shop.staffToken();
  await receiver.wait('/paid', 1);
  first.child.kill('SIGKILL');
  held = false;

  const second = await start(databaseUrl);
  expect(second.under.seeded).toEqual(first.under.seeded);
  const read = await second.under.ask(
    'query($id: ID!) { order(id: $id) { number chargeStatus } }',
    { id: order.id },
    token,
  );
  expect(read).toEqual({ order: { number: order.number, chargeStatus: 'FULL' } });
  expect((await complete(second.under, open, '')).number).toBe('2');
  const [before, after] = await receiver.wait('/paid', 2);
  expect(after!.body.equals(before!.body)).toBe(true);
  expect(after!.headers['saleor-signature']).toBe(before!.headers['saleor-signature']);
});
