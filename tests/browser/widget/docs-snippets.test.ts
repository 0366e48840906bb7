import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { moduleScript } from './support/module-script.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';
import { widgetOn, type WidgetOnPage } from './support/widget-on-page.ts';

const root = path.join(import.meta.dirname, '../../..');
const docs = fs.readFileSync(path.join(root, 'docs/widget.md'), 'utf8');
/** Snippets that are marked with a name, and their language. */
const snippets = new Map(
  [...docs.matchAll(/^```(\w+) ([\w-]+)\n([^]*?)^```/gm)].map(([, language, name, text]) => [
    name!,
    { language: language!, text: text! },
  ]),
);
const tried = new Set<string>();

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent({ greeting: 'Good day!' });
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

/** A snippet as somebody pastes it: with the origin of their store and their key in it. */
function snippet(name: string): string {
  tried.add(name);
  const store = stage.store.stack.publicOrigin;
  return snippets
    .get(name)!
    .text.replaceAll('https://store.example', store)
    .replaceAll('wss://store.example', store.replace(/^http/, 'ws'))
    .replaceAll('wk_…', agent.widgetKey);
}

/** A page of a site with this in its head and body; `before` it is opened. */
async function paste(
  { head = '', body = '<h1>A page</h1>', policy }: { head?: string; body?: string; policy?: string },
  before?: (page: Page) => Promise<void>,
): Promise<{ page: Page; widget: WidgetOnPage }> {
  const html = `<!doctype html><html lang="en"><head><link rel="icon" href="data:,">${head}</head><body>${body}</body></html>`;
  const { page } = await stage.visit(agent.widgetKey, {
    page: { html, ...(policy ? { policy } : {}) },
    ...(before ? { before } : {}),
  });
  return { page, widget: widgetOn(page, agent.widgetKey) };
}

async function firstAnswer(widget: WidgetOnPage): Promise<string> {
  await widget.open();
  await widget.panel.getByText('Good day!').waitFor();
  await widget.ask('Does it work?');
  return widget.answered();
}

/** A property of the page. */
const told = (page: Page, expression: string): Promise<unknown> => page.evaluate<unknown>(expression);
const asScript = (text: string): string => `<script>${text}</script>`;

it('script: a first answer', async () => {
  const { widget } = await paste({ head: snippet('script') });
  expect(await firstAnswer(widget)).toContain('Does it work?');
});

it('attributes: it is open, dark and German', async () => {
  const { widget } = await paste({ head: snippet('attributes') });
  await widget.panel.getByText('Good day!').waitFor();
  await widget.panel.getByPlaceholder('Nachricht schreiben …').waitFor(); // English until those words are there
  expect(await widget.panel.evaluate((panel) => getComputedStyle(panel).colorScheme)).toBe('dark');
});

it('queue: what is called before the loader is there is done then', async () => {
  const { page, widget } = await paste({ head: snippet('queue') });
  expect(await widget.answered()).toContain('How long may I send goods back?');
  await expect.poll(() => page.title()).toContain('How long may I send goods back?');
});

it('boot: a button of the page opens it, without a launcher', async () => {
  const { page, widget } = await paste({
    head: snippet('script')
      .replace(/ data-widget-key="[^"]*"/, '')
      .replace('async ', ''),
    body: `<button id="help">Help</button>${asScript(snippet('boot'))}`,
  });
  await page.getByRole('button', { name: 'Help' }).click();
  await widget.panel.waitFor();
  expect(await widget.launcher.count()).toBe(0);
});

it('events: the page hears of a message', async () => {
  const { page, widget } = await paste({ head: asScript(snippet('events')) + snippet('script') });
  await widget.open();
  await widget.ask('Hello');
  await expect.poll(() => told(page, 'window.dataLayer')).toEqual([{ event: 'chat_message', length: 5 }]);
});

it('element: a chat inside the page', async () => {
  const { page } = await paste({
    body: `${snippet('element-place')}${await moduleScript(snippet('element'))}`,
  });
  const element = page.locator('agent-chat');
  await element.locator('textarea').fill('Is it inside?');
  await element.locator('textarea').press('Enter');
  await element.getByRole('button', { name: 'Good answer' }).waitFor();
  expect((await element.locator('[part=panel]').boundingBox())!.height).toBe(600);
});

/** Keeps what a page says by `console.info`. */
const hear = async (page: Page): Promise<void> =>
  void (await page.addInitScript('globalThis.heard = []; console.info = (what) => heard.push(what);'));

it('npm: a page with the package asks and hears the answer', async () => {
  const { page, widget } = await paste({ body: await moduleScript(snippet('npm')) }, hear);
  expect(await widget.answered()).toContain('Where is my parcel?');
  await expect
    .poll(() => told(page, 'heard'))
    .toEqual([expect.stringContaining('Where is my parcel?') as string]);
});

it('react: a component with a widget, and its button', async () => {
  const script = await moduleScript(
    `import { createRoot } from 'react-dom/client';
     ${snippet('react')}
     createRoot(document.getElementById('app')).render(<Help />);`,
    { loader: 'tsx' },
  );
  const { page, widget } = await paste({ body: `<div id="app"></div>${script}` }, hear);
  await page.getByRole('button', { name: 'Where is my parcel?' }).click();
  expect(await widget.answered()).toContain('Where is my parcel?');
  await expect
    .poll(() => told(page, 'heard'))
    .toEqual(expect.arrayContaining(['ready', 'open', 'message', 'answer']));
});

it.each([
  ['csp-host', (line: string) => line],
  ['csp-nonce', (line: string) => line.replace('<script ', '<script nonce="r4nd0m" ')],
])('%s: a first answer under this policy and nothing else', async (name, change) => {
  const policy = `default-src 'none'; img-src data:; ${snippet(name).trim().replace('nonce-…', 'nonce-r4nd0m')}`;
  const refused: string[] = [];
  const { widget } = await paste({ head: change(snippet('script')), policy }, async (page) => {
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) refused.push(message.text());
    });
  });
  expect(await firstAnswer(widget)).toContain('Does it work?');
  expect(refused).toEqual([]);
});

it('identity: the same person, on another device', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'widget-docs-'));
  try {
    const file = path.join(folder, 'identity.mjs');
    const jose = pathToFileURL(path.join(root, 'node_modules/jose/dist/webapi/index.js')).href;
    fs.writeFileSync(file, snippet('identity-server').replace("'jose'", JSON.stringify(jose)));
    const server = (await import(pathToFileURL(file).href)) as {
      publicJwk: object;
      chatIdentity: (person: string) => Promise<string>;
    };
    const { instanceWidgetKeysSet } = await agent.graph.query<{
      instanceWidgetKeysSet: { errors: object[] };
    }>(snippet('identity-keys'), {
      input: { instanceId: agent.instanceId, identityKeys: [server.publicJwk] },
    });
    expect(instanceWidgetKeysSet.errors).toEqual([]);

    const visitAs = (person: string) =>
      paste(
        {
          head: snippet('script'),
          body: asScript(`addEventListener('load', () => { ${snippet('identify')} })`),
        },
        async (page) => {
          await page.route('**/chat-identity', async (route) =>
            route.fulfill({ body: await server.chatIdentity(person) }),
          );
        },
      );
    const first = await visitAs('person 7');
    await first.widget.open();
    await first.widget.ask('Remember me');
    await first.widget.answered();
    const elsewhere = await visitAs('person 7');
    await elsewhere.widget.open();
    await elsewhere.widget.choose('Earlier conversations');
    await elsewhere.widget.panel.getByRole('button', { name: /^Remember me/ }).waitFor();
    const other = await visitAs('person 8');
    await other.widget.open();
    await other.widget.choose('Earlier conversations');
    await other.widget.panel.getByText('There are no earlier conversations.').waitFor();
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

it('style: the page has the last word', async () => {
  const { widget } = await paste({ head: `<style>${snippet('style')}</style>${snippet('script')}` });
  await widget.open();
  const look = await widget.panel.evaluate((panel) => {
    const { borderRadius, width, fontFamily } = getComputedStyle(panel);
    return { borderRadius, width, fontFamily };
  });
  expect(look).toEqual({ borderRadius: '4px', width: '480px', fontFamily: 'Georgia, serif' });
  expect(await widget.launcher.evaluate((button) => getComputedStyle(button).borderRadius)).toBe('8px');
});

it('style: what is for launcher and element, too', async () => {
  const { widget } = await paste({
    head: `<style>agent-store-widget { --agentstore-offset: 7px; --agentstore-z-index: 7; }</style>${snippet('script')}`,
  });
  expect(await widget.host.evaluate((host) => getComputedStyle(host).zIndex)).toBe('7');
  expect(await widget.launcher.evaluate((button) => getComputedStyle(button).right)).toBe('7px');
});

it('pinned: a first answer from a loader whose integrity is checked', async () => {
  const versions = (await (
    await fetch(`${stage.store.stack.publicOrigin}/widget/versions.json`)
  ).json()) as Record<string, { integrity: string }>;
  const line = snippet('pinned');
  const [, version] = /widget\/([\d.]+)\/loader/.exec(line)!;
  const { widget } = await paste({ head: line.replace('sha384-…', versions[version!]!.integrity) });
  expect(await firstAnswer(widget)).toContain('Does it work?');
});

it('brand: the operation is one of the graph, with the input that stands below it', async () => {
  const text = snippet('brand');
  const given = JSON.parse(text.replace(/^[^#]*/, '').replaceAll(/^#/gm, '')) as { input: object };
  const other = await stage.agent();
  const { instanceBrand } = await other.graph.query<{
    instanceBrand: { instance: { branding: { allowedDomains: string[] } }; errors: object[] };
  }>(text, {
    input: { ...given.input, instanceId: other.instanceId },
  });
  expect(instanceBrand.errors).toEqual([]);
  expect(instanceBrand.instance.branding.allowedDomains).toEqual(['www.shop.example']);
});

it("words: the site's own", async () => {
  const { widget } = await paste({
    head: snippet('script')
      .replace(/ data-widget-key="[^"]*"/, '')
      .replace('async ', ''),
    body: asScript(snippet('words')),
  });
  await widget.open();
  await expect.poll(() => widget.composer.getAttribute('placeholder')).toBe('Ask the workshop…');
});

it('every snippet that is marked was tried', () => {
  expect([...snippets.keys()].filter((name) => !tried.has(name))).toEqual([]);
});
