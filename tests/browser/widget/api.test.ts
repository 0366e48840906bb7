import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { moduleScript } from './support/module-script.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';
import { widgetOn } from './support/widget-on-page.ts';

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent();
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

const visit = (options?: Parameters<Stage['visit']>[1]) => stage.visit(agent.widgetKey, options);
type Call = (command: string, ...args: unknown[]) => unknown;
/** As a script of the page says it. */
const call = (page: Page, command: string, ...args: unknown[]): Promise<void> =>
  page.evaluate(
    async ([name, given]) => {
      await (window as unknown as { AgentStore: Call }).AgentStore(name, ...given);
    },
    [command, args] as const,
  );
const stub = `<script>window.AgentStore = window.AgentStore || function () { (AgentStore.q = AgentStore.q || []).push(arguments) };`;
/** What a page heard of the widget's events, by name. */
const listen = `
  window.heard = [];
  for (const name of ['ready', 'open', 'message', 'answer', 'rating', 'error', 'close', 'unread'])
    AgentStore('on', name, (detail) => window.heard.push([name, detail]));`;
const heard = (page: Page): Promise<[string, Record<string, unknown>][]> =>
  page.evaluate(() => (window as unknown as { heard: [string, Record<string, unknown>][] }).heard);

it('does what was asked before it was loaded, in that order, and tells what happens', async () => {
  const { page, widget } = await visit({
    page: { head: `${stub}${listen} AgentStore('send', 'Before you came');</script>` },
  });
  expect(await widget.answered()).toContain('Before you came');
  await widget.panel.getByRole('button', { name: 'Good answer' }).click();
  await call(page, 'close');
  await widget.panel.waitFor({ state: 'hidden' });
  await expect
    .poll(async () => (await heard(page)).map(([name]) => name))
    .toEqual(['ready', 'open', 'message', 'answer', 'rating', 'close']);
  const events = Object.fromEntries(await heard(page));
  expect(events['ready']).toEqual({ widgetKey: agent.widgetKey });
  expect(events['message']).toMatchObject({ text: 'Before you came' });
  expect(events['answer']).toMatchObject({ state: 'done', text: expect.stringContaining('Before you came') });
  expect(events['rating']).toMatchObject({ rating: 'UP', reason: null });
});

it('opens, closes and toggles by calls, and counts what was not seen', async () => {
  const { page, widget } = await visit();
  await widget.launcher.waitFor();
  await call(page, 'open');
  await widget.panel.waitFor();
  await call(page, 'toggle');
  await widget.panel.waitFor({ state: 'hidden' });
  await call(page, 'send', 'A slow one, scripted-slow?tokens=100&delay=40');
  await widget.texts.getByText('asked').waitFor();
  await call(page, 'toggle');
  await widget.launcher.locator('[part=badge]').getByText('1').waitFor();
  expect(await widget.launcher.getAttribute('aria-label')).toBe('Open chat, 1 new answer');
  await call(page, 'toggle');
  await widget.answered();
  await widget.launcher.locator('[part=badge]').waitFor({ state: 'detached' });
});

it('knows a customer’s own person on every device, and forgets them at a sign-out', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  await agent.owner.query(
    'mutation ($input: InstanceWidgetKeysSetInput!) { instanceWidgetKeysSet(input: $input) { errors { code message } } }',
    {
      input: {
        instanceId: agent.instanceId,
        identityKeys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' }],
      },
    },
  );
  const jwt = await new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
    .setSubject('customer-42')
    .setAudience(agent.widgetKey)
    .setIssuedAt()
    .setExpirationTime('30m')
    .sign(privateKey);
  const desk = await visit({ page: { head: `${stub} AgentStore('identify', '${jwt}');</script>` } });
  await desk.widget.open();
  await desk.widget.ask('Said at my desk');
  await desk.widget.answered();

  const phone = await visit();
  await phone.widget.launcher.waitFor();
  await call(phone.page, 'identify', jwt);
  await phone.widget.open();
  await phone.widget.choose('Earlier conversations');
  await phone.widget.panel.getByRole('listitem').getByRole('button', { name: 'Said at my desk' }).click();
  expect(await phone.widget.answered()).toContain('Said at my desk');

  await call(phone.page, 'reset');
  await phone.widget.questions.waitFor({ state: 'detached' });
  expect(await phone.page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  await phone.widget.ask('Said by nobody');
  await phone.widget.answered();
  await phone.widget.choose('Earlier conversations');
  await phone.widget.panel.getByRole('listitem').first().waitFor();
  expect(await phone.widget.panel.getByRole('listitem').locator('b').allInnerTexts()).toEqual([
    'Said by nobody',
  ]);
});

it('is gone after a shutdown, and comes again when it is booted', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('Stay');
  await widget.answered();
  await call(page, 'shutdown');
  await widget.host.waitFor({ state: 'detached' });
  await page.evaluate(
    ([key, store]) =>
      void (window as unknown as { AgentStore: Call }).AgentStore('boot', {
        widgetKey: key,
        store,
        open: true,
      }),
    [agent.widgetKey, stage.store.stack.publicOrigin],
  );
  await widget.panel.waitFor();
  expect(await widget.answered()).toContain('Stay');
});

it('is there twice on a page for two agents, each by its key', async () => {
  const other = await stage.agent({ brandName: 'Bob', position: 'BOTTOM_LEFT' });
  const { page, widget } = await visit({
    page: {
      head: `<script async src="${stage.store.stack.publicOrigin}/widget/v1/loader.js" data-widget-key="${other.widgetKey}"></script>`,
    },
  });
  const second = widgetOn(page, other.widgetKey);
  await widget.launcher.waitFor();
  await second.launcher.waitFor();
  await call(page, `${agent.widgetKey}.send`, 'To the first');
  await call(page, `${other.widgetKey}.send`, 'To the second');
  expect(await widget.answered()).toContain('To the first');
  expect(await second.answered()).toContain('To the second');
  await second.panel.getByRole('heading', { name: 'Bob' }).waitFor();
  await widget.panel.getByRole('heading', { name: 'Ada' }).waitFor();
});

it('is an element of the page, by the package', async () => {
  const store = stage.store.stack.publicOrigin;
  const { page } = await visit({
    page: {
      body: `<div style="height: 500px; width: 420px"><agent-chat style="height: 100%" widget-key="${agent.widgetKey}" store="${store}"></agent-chat></div>`,
      head: await moduleScript(`import './elements/index.ts'`, { from: 'widget' }),
    },
  });
  const chat = page.locator('agent-chat');
  await chat.getByRole('region', { name: 'Ada' }).waitFor();
  await chat.locator('textarea').fill('Inside the page');
  await chat.locator('textarea').press('Enter');
  await chat.getByRole('button', { name: 'Good answer' }).waitFor();
  const box = (await chat.locator('[part=panel]').boundingBox())!;
  expect([box.width, box.height]).toEqual([420, 500]);
});

it('stays, and goes on, while a single-page site changes its pages, bodies and documents', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('Over all pages, scripted-slow?tokens=60&delay=30');
  await widget.texts.getByText('asked').waitFor();
  await page.evaluate(() => {
    history.pushState(null, '', '/another');
    document.body.replaceChildren(
      Object.assign(document.createElement('h1'), { textContent: 'Another page' }),
    );
  });
  await page.evaluate(() =>
    document.documentElement.replaceChild(document.createElement('body'), document.body),
  );
  await widget.panel.waitFor();
  await widget.answered();
  expect(await page.locator('agent-store-widget').count()).toBe(1);
});

it('is as it was after the visitor went away and came back by the back-forward cache', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('Will you be here?');
  await widget.answered();
  await page.evaluate(() =>
    addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted })),
  );
  await page.goto(stage.site.put('elsewhere', { html: '<!doctype html><title>Elsewhere</title>' }));
  await page.goBack({ waitUntil: 'commit' });
  await expect
    .poll(() => page.evaluate(() => (window as unknown as { persisted?: boolean }).persisted))
    .toBe(true);
  await widget.panel.waitFor();
  await widget.ask('And now?');
  expect(await widget.answered(2)).toContain('And now?');
  expect(await widget.questions.count()).toBe(2);
});
