import type { Page } from 'playwright-core';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostilePages, htmlOf, quietPage, type HostilePage } from './hostile-pages.ts';
import { snippetOf } from './support/snippet.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';
import { widgetOn } from './support/widget-on-page.ts';

let stage: Stage;
let agent: OwnedAgent;
let quiet: Looks;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent({
    greeting: 'Good day! What can I do for you?',
    suggestedPrompts: ['Where is my parcel?'],
  });
  quiet = await looksOn(quietPage);
});
afterAll(() => stage.close());

interface Looks {
  /** The page without the widget, with it, and when it was used and closed again. */
  readonly page: { readonly alone: PNG; readonly carrying: PNG; readonly after: PNG };
  /** Its box. */
  readonly launcher: object;
  readonly opened: PNG;
  readonly answered: PNG;
}

const viewport = { width: 1_000, height: 800 };

/** Opens the widget on a page by its launcher, with the mouse, and asks. */
async function looksOn(host: HostilePage): Promise<Looks> {
  const context = await stage.browser.newContext({ viewport, locale: 'en-GB', reducedMotion: 'reduce' });
  try {
    const page = await context.newPage();
    const url = stage.site.put(host.name, { html: htmlOf(host, snippetOf(stage, agent.widgetKey)) });
    await context.route('**/widget/**', (route) => route.abort());
    await settledAt(page, url);
    const alone = await picture(page);
    await context.unroute('**/widget/**');
    await settledAt(page, url);
    const widget = widgetOn(page, agent.widgetKey);
    await widget.launcher.waitFor();
    const carrying = await picture(page);
    const launcher = (await widget.launcher.boundingBox())!;

    const press = () => page.mouse.click(launcher.x + launcher.width / 2, launcher.y + launcher.height / 2);
    await press();
    await widget.panel.getByRole('button', { name: 'Where is my parcel?' }).waitFor();
    const panel = (await widget.panel.boundingBox())!;
    const opened = await picture(page, panel);
    await widget.ask('Where is my parcel, and **when** does it come?');
    await widget.answered();
    const answered = await picture(page, panel);
    await press();
    await widget.panel.waitFor({ state: 'hidden' });
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
const inCorner = (x: number, y: number): boolean => x > viewport.width - 110 && y > viewport.height - 110;

it('has at least 20 of them', () => {
  expect(new Set(hostilePages.map(({ name }) => name)).size).toBeGreaterThanOrEqual(20);
});

it.each(hostilePages)('$name: the widget is as on a quiet page, and so is the page', async (host) => {
  const looks = await looksOn(host);
  expect({
    launcher: looks.launcher,
    opened: difference(quiet.opened, looks.opened) <= 0.005,
    answered: difference(quiet.answered, looks.answered) <= 0.005,
    carrying: difference(looks.page.alone, looks.page.carrying, inCorner),
    after: difference(looks.page.alone, looks.page.after, inCorner),
  }).toEqual({ launcher: quiet.launcher, opened: true, answered: true, carrying: 0, after: 0 });
});
