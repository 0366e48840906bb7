import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { orderDeskAgent } from './support/desk-agents.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

/** A pixel, as a server of pictures gives it. */
const pixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await orderDeskAgent(stage, {});
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

const visit = (options: Parameters<Stage['visit']>[1] = {}) => stage.visit(agent.widgetKey, options);
const pictures = async (page: Page): Promise<void> =>
  void (await page.route('https://pictures.example/**', (route) =>
    route.fulfill({ body: pixel, contentType: 'image/png' }),
  ));
const styleOf = (page: Page, selector: string, property: string): Promise<string> =>
  page.evaluate(
    ([selected, name]) =>
      getComputedStyle(
        document.querySelector('agent-store-widget')!.shadowRoot!.querySelector(selected!)!,
      ).getPropertyValue(name!),
    [selector, property],
  );

/** Relative luminance by WCAG 2.2. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red, green, blue] = colour.match(/\d+/g)!.map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

it('shows a change of the brand at the next page load, with the same scripts', async () => {
  await agent.brand({ brandName: 'Before', launcherText: 'Before?' });
  const { page, widget } = await visit();
  const load = async (): Promise<string[]> => {
    const scripts: string[] = [];
    page.on('response', (response) => {
      if (/\/widget\/.*\.js$/.test(response.url()) && [200, 304].includes(response.status()))
        scripts.push(`${response.url()} ${response.headers()['etag']}`);
    });
    await page.reload();
    await widget.launcher.filter({ hasText: '?' }).waitFor();
    page.removeAllListeners('response');
    return scripts.toSorted();
  };
  const before = await load();
  expect(await widget.launcher.innerText()).toBe('Before?');
  await agent.brand({ brandName: 'After', launcherText: 'After?' });
  const after = await load();
  expect(await widget.launcher.innerText()).toBe('After?');
  await widget.open();
  await widget.panel.getByRole('heading', { name: 'After' }).waitFor();
  expect(before.length).toBeGreaterThan(1);
  expect(after).toEqual(before);
});

it('has its name, pictures, font, words and prompts', async () => {
  await agent.brand({
    brandName: 'Kettle & Co.',
    logoUrl: 'https://pictures.example/logo.png',
    avatarUrl: 'https://pictures.example/avatar.png',
    fontFamily: 'Georgia, serif',
    launcherText: 'Ask us',
    greeting: 'Good day!',
    suggestedPrompts: ['Where is my order A-1042?', 'And mine?'],
    showToolSteps: true,
  });
  const { page, widget } = await visit({ before: pictures });
  await widget.launcher.getByText('Ask us').waitFor();
  expect(await styleOf(page, '.launcher', 'font-family')).toMatch(/^Georgia/);
  await widget.open();
  await widget.panel.getByRole('heading', { name: 'Kettle & Co.' }).waitFor();
  const picture = widget.panel.locator('[part=head] img');
  expect(await picture.getAttribute('src')).toBe('https://pictures.example/logo.png');
  await widget.panel.getByText('Good day!').waitFor();
  expect(await widget.panel.locator('[part=prompt]').allInnerTexts()).toEqual([
    'Where is my order A-1042?',
    'And mine?',
  ]);
  expect(await styleOf(page, '.welcome p', 'font-family')).toMatch(/^Georgia/);
  await widget.panel.locator('[part=prompt]').first().click();
  await widget.answered();
  expect(await widget.answers.locator('img').getAttribute('src')).toBe('https://pictures.example/avatar.png');
  await widget.answers.getByRole('button', { name: 'Used 2 tools' }).click();
  expect(await widget.answers.locator('summary b').allInnerTexts()).toEqual(['find order', 'service status']);
});

it('keeps its tool steps to itself where the owner says so', async () => {
  await agent.brand({ showToolSteps: false });
  const { widget } = await visit();
  await widget.open();
  await widget.ask('Where is my order A-1042?');
  await widget.answered();
  expect(await widget.answers.getByRole('button', { name: /tool/ }).count()).toBe(0);
});

it.each([
  ['BOTTOM_RIGHT', 'right', 'bottom'],
  ['BOTTOM_LEFT', 'left', 'bottom'],
  ['TOP_RIGHT', 'right', 'top'],
  ['TOP_LEFT', 'left', 'top'],
] as const)(
  'is in the corner %s, also of a page that is read from right to left',
  async (position, side, edge) => {
    await agent.brand({ position, launcherText: 'Ask us' });
    for (const lang of ['en', 'ar" dir="rtl']) {
      const { widget, context } = await visit({ page: { lang }, browser: { reducedMotion: 'reduce' } });
      await widget.launcher.getByText('Ask us').waitFor();
      await widget.open();
      for (const part of [widget.launcher, widget.panel]) {
        const box = (await part.boundingBox())!;
        expect(box['x']).toBeGreaterThanOrEqual(0);
        expect(side === 'left' ? box.x : 1280 - box.x - box.width).toBe(20);
      }
      const [launcher, panel] = [(await widget.launcher.boundingBox())!, (await widget.panel.boundingBox())!];
      expect(edge === 'top' ? launcher.y : 800 - launcher.y - launcher.height).toBe(20);
      expect(
        edge === 'top' ? panel.y - launcher.y - launcher.height : launcher.y - panel.y - panel.height,
      ).toBe(16);
      await context.close();
    }
  },
);

it.each(['LIGHT', 'DARK', 'AUTO'] as const)(
  'is readable in %s, whatever colours were asked for',
  async (colorScheme) => {
    await agent.brand({
      primaryColor: '#ffff66',
      accentColor: '#ffe0f0',
      colorScheme,
      launcherText: 'Ask us',
    });
    const { page, widget } = await visit({ browser: { colorScheme: 'dark', reducedMotion: 'reduce' } });
    await widget.launcher.getByText('Ask us').waitFor();
    await widget.open();
    await widget.ask('See https://example.com');
    await widget.answered();
    const pairs: [string, string][] = [
      ['.launcher', '.launcher'],
      ['.visitor .bubble', '.visitor .bubble'],
      ['.agent .bubble', '.agent .bubble'],
      ['.head p', '.panel'],
      ['.agent .bubble a', '.agent .bubble'],
      ['.send', '.send'],
    ];
    for (const [text, ground] of pairs)
      expect(
        contrast(await styleOf(page, text, 'color'), await styleOf(page, ground, 'background-color')),
      ).toBeGreaterThanOrEqual(4.5);
    const surface = contrast(await styleOf(page, '.panel', 'background-color'), 'rgb(0, 0, 0)');
    expect(surface > 10).toBe(colorScheme === 'LIGHT');
  },
);
