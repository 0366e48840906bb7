import { beforeAll, beforeEach, expect, it } from 'vitest';
import { openProvisioner, type Provisioner } from '../testing/provisioner.ts';

let app: Provisioner;
beforeAll(async () => {
  app = await openProvisioner();
});
beforeEach(async () => {
  await app.rows('truncate saleor_app, poll_mark');
  app.shop.app.identifier = 'agentstore.provisioner';
  app.shop.instead = () => undefined;
});

const register = (token: string, shop = app.shop.apiUrl) =>
  app.send('/api/register', {
    headers: { 'content-type': 'application/json', 'saleor-api-url': shop },
    body: JSON.stringify({ auth_token: token }),
  });
const kept = () => app.rows<{ token: string }>('select * from saleor_app');

it('keeps the token of a shop that knows it, unreadable in the row, and polls from then on', async () => {
  expect((await register(app.shop.app.token)).status).toBe(200);
  const [row] = await kept();
  expect(row).toMatchObject({
    saleor_api_url: app.shop.apiUrl,
    app_id: app.shop.app.id,
    jwks: app.shop.jwks(),
  });
  expect(JSON.stringify(row)).not.toContain(app.shop.app.token);
  expect(await app.room.apl.get(app.shop.apiUrl)).toMatchObject({ token: app.shop.app.token });
  expect(await app.rows('select saleor_api_url from poll_mark')).toEqual([
    { saleor_api_url: app.shop.apiUrl },
  ]);
});

it('refuses a shop that is not on the list, and does not ask it', async () => {
  const asked = app.shop.asked.length;
  const elsewhere = app.shop.apiUrl.replace('/graphql/', '/elsewhere/');
  expect((await register(app.shop.app.token, elsewhere)).status).toBe(403);
  expect(app.shop.asked).toHaveLength(asked);
  expect(await kept()).toEqual([]);
});

it('refuses a token that the shop does not know', async () => {
  expect((await register('a token of nobody')).status).toBe(401);
  expect(await kept()).toEqual([]);
});

it('refuses the token of another app of the shop', async () => {
  app.shop.app.identifier = 'somebody.else';
  expect((await register(app.shop.app.token)).status).toBe(403);
  expect(await kept()).toEqual([]);
});

it('says to come again when the shop does not answer', async () => {
  app.shop.instead = () => new Response('', { status: 502 });
  expect((await register(app.shop.app.token)).status).toBe(503);
  expect(await kept()).toEqual([]);
});
