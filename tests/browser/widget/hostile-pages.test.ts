import type { Browser, Page } from 'playwright-core';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore, type Store } from '../../e2e/support/store.ts';
import { openBrowser } from '../browser.ts';
import { hostilePages, htmlOf, quietPage, type HostilePage } from './hostile-pages.ts';
import type { BrandedAgent } from './support/branded-agent.ts';
import { openHostSite, type HostSite } from './support/host-site.ts';
import { ask, chatOn, snippetOf, someonesAgent, visitor } from './support/visit.ts';

let store: Store;
let browser: Browser;
let site: HostSite;
let agent: BrandedAgent;
let quiet: Looks;
beforeAll(async () => {
  [store, browser, site] = await Promise.all([openStore({ widget: true }), openBrowser(), openHostSite()]);
  agent = await someonesAgent(store, {
    greeting: 'Good day! What can I do for you?',
    suggestedPrompts: ['Where is my parcel?'],
    allowedDomains: [site.origin],
  });
  quiet = await looksOn(quietPage);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  await store?.close();
});

interface Looks {
  /** The page without the widget, with it, and when it was used and closed again. */
  readonly page: { readonly alone: PNG; readonly carrying: PNG; readonly after: PNG };
  readonly launcher: { readonly box: object; readonly picture: PNG };
  readonly opened: PNG;
  readonly answered: PNG;
}

/** Opens the widget on a page by its launcher, with the mouse, and asks. */
async function looksOn(host: HostilePage): Promise<Looks> {
  const context = await visitor(browser);
  try {
    const page = await context.newPage();
    const url = site.put(host.name, { html: htmlOf(host, snippetOf(store, agent)) });
    await context.route('**/widget/**', (route) => route.abort());
    await settledAt(page, url);
    const alone = await picture(page);
    await context.unroute('**/widget/**');
    await settledAt(page, url);
    const chat = chatOn(page);
    await chat.launcher.waitFor();
    const carrying = await picture(page);
    const box = (await chat.launcher.boundingBox())!;
    const launcher = { box, picture: await picture(page, box) };

    const press = () => page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await press();
    await chat.panel.getByRole('button', { name: 'Where is my parcel?' }).waitFor();
    const panel = (await chat.panel.boundingBox())!;
    const opened = await picture(page, panel);
    await ask(chat, 'Where is my parcel, and when does it come?');
    const answered = await picture(page, panel);
    await press();
    await chat.panel.waitFor({ state: 'hidden' });
    return { page: { alone, carrying, after: await picture(page) }, launcher, opened, answered };
  } finally {
    await context.close();
  }
}

/** Loads it, and waits until its own scripts have done what they do. */
const settledAt = (page: Page, url: string) => page.goto(url, { waitUntil: 'networkidle' });

const picture = async (page: Page, clip?: { x: number; y: number; width: number; height: number }) =>
  PNG.sync.read(await page.screenshot({ ...(clip ? { clip } : {}), animations: 'disabled' }));

/** Share of the pixels that are another; where `leaveOut` says so they are not looked at. */
function difference(one: PNG, other: PNG, leaveOut?: (x: number, y: number) => boolean): number {
  const { width, height } = one;
  expect([other.width, other.height]).toEqual([width, height]);
  const ignoreMask = Uint8Array.from({ length: width * height }, (_zero, at) =>
    Number(leaveOut?.(at % width, Math.floor(at / width)) ?? false),
  );
  return pixelmatch(one.data, other.data, null, width, height, { ignoreMask }) / (width * height);
}

/** The launcher and its shadow. */
const inCorner = (x: number, y: number): boolean => x > 1_000 - 110 && y > 800 - 110;

it('has at least 20 of them', () => {
  expect(new Set(hostilePages.map(({ name }) => name)).size).toBeGreaterThanOrEqual(20);
});

it.each(hostilePages)('$name: the widget is as on a quiet page, and so is the page', async (host) => {
  const looks = await looksOn(host);
  expect({
    launcher: looks.launcher.box,
    opened: difference(quiet.opened, looks.opened) <= 0.005,
    answered: difference(quiet.answered, looks.answered) <= 0.005,
    carrying: difference(looks.page.alone, looks.page.carrying, inCorner),
    after: difference(looks.page.alone, looks.page.after, inCorner),
  }).toEqual({ launcher: quiet.launcher.box, opened: true, answered: true, carrying: 0, after: 0 });
});
