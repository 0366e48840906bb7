import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createServiceClient } from '@agentstore/kernel/http/client';
import { silentLog } from '@agentstore/kernel/log';
import { composeSupergraph } from '../../../schema/compose-supergraph.ts';
import type { Deps } from '../deps.ts';
import { codesOf, openRouter, type TestRouter } from '../testing/open-router.ts';
import { createEngine } from './engine.ts';

const withField = (router: TestRouter): string =>
  composeSupergraph(
    router.subgraphSdl.map(({ name, sdl }) => ({
      name,
      sdl: name === 'reviews' ? sdl.replace('type Query {', 'type Query {\n  addedLater: Int') : sdl,
    })),
  );
const hasField = async (router: TestRouter, token: string): Promise<boolean> =>
  (await router.ask('{ __type(name: "Query") { fields { name } } }', { token })).data!['__type'].fields.some(
    ({ name }: { name: string }) => name === 'addedLater',
  );
async function replace(file: string, text: string): Promise<void> {
  await sleep(20); // another modification time
  fs.writeFileSync(`${file}.new`, text);
  fs.renameSync(`${file}.new`, file);
}
async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(check).toBe(true);
}

it('takes a good supergraph over while requests and subscriptions go on, and keeps the last good one when it is bad or gone', async () => {
  const router = await openRouter();
  const token = await router.issuer.token();
  const good = fs.readFileSync(router.supergraphFile, 'utf8');
  const events = router.socket().iterate({ query: 'subscription { bookTold { title rating } }' });
  const told = events.next();
  await router.books.telling.waitFor(1);
  const underWay = router.ask('{ never reviews }', { token }); // takes 1.5 s

  for (const bad of ['this is no supergraph', good.replaceAll('reviews', 'strangers'), '']) {
    await replace(router.supergraphFile, bad);
    await sleep(700);
    expect((await router.ask('{ reviews }', { token })).data).toEqual({ reviews: 7 });
  }
  fs.rmSync(router.supergraphFile);
  await sleep(700);
  expect((await router.ask('{ reviews }', { token })).data).toEqual({ reviews: 7 });

  await replace(router.supergraphFile, withField(router));
  await until(() => hasField(router, token));
  expect((await underWay).data).toEqual({ never: null, reviews: 7 });
  router.books.telling.tell('b1');
  expect((await told).value).toEqual({ data: { bookTold: { title: 'Title of b1', rating: 2 } } });
});

it('takes over what was written while the first one was loading', async () => {
  const router = await openRouter();
  const file = `${router.supergraphFile}.own`; // watched by nobody else
  fs.copyFileSync(router.supergraphFile, file);
  const client = createServiceClient({ name: 'books', baseUrl: 'http://books.internal' });
  const engine = createEngine({
    log: silentLog,
    supergraphFile: file,
    subgraphs: { books: client, reviews: client },
    controlPlane: client,
    saleorApiUrl: 'http://127.0.0.1:1/graphql/',
    subgraphDeadlineMs: 1_000,
  } as unknown as Deps);
  const changed = withField(router);
  const starting = engine.start();
  fs.writeFileSync(`${file}.new`, changed);
  fs.renameSync(`${file}.new`, file);
  await starting;
  const fields = () => Object.keys(engine.current().schema.getQueryType()!.getFields());
  await until(async () => fields().includes('addedLater'));
  expect(fields()).toContain('reviews');
  await engine.stop();
});

it('is not ready while a part is down, and says which', async () => {
  let up = true;
  const part = {
    sdl: 'type Query { part: Int }',
    fetch: async () => (up ? Response.json({}) : new Response('', { status: 502 })),
  };
  const router = await openRouter({ more: { part } });
  const readiness = () => fetch(`${router.origin}/readiness`);
  expect((await readiness()).status).toBe(200);
  up = false;
  const answer = await readiness();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'NOT_READY', title: 'not ready: part' });
  expect((await fetch(`${router.origin}/health`)).status).toBe(200);
});

it('starts without a supergraph or a shop, says so, and serves what it has as soon as there is one', async () => {
  const router = await openRouter({ deps: { supergraphFile: `/nonexistent/${crypto.randomUUID()}` } });
  expect((await fetch(`${router.origin}/health`)).status).toBe(200);
  expect((await fetch(`${router.origin}/readiness`)).status).toBe(503);
  expect(codesOf(await router.ask('{ reviews }'))).toEqual(['UNAVAILABLE']);
  const heard = await router
    .socket()
    .iterate({ query: '{ reviews }' })
    .next()
    .catch((errors: object[]) => errors);
  expect(heard).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);

  const file = `${router.supergraphFile}.late`;
  const late = await openRouter({
    deps: { supergraphFile: file, saleorApiUrl: 'http://127.0.0.1:1/graphql/' },
  });
  fs.copyFileSync(late.supergraphFile, file);
  await until(async () => (await fetch(`${late.origin}/readiness`)).status === 200);
  expect((await late.ask('{ reviews }')).data).toEqual({ reviews: 7 });
  fs.rmSync(file);
});
