import fs from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { helpDeskAgent } from './support/desk-agents.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await helpDeskAgent(stage, { suggestedPrompts: ['How much citric acid does descaling take?'] });
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

/** Every finding as `rule: place`. */
async function findings(page: Page): Promise<string[]> {
  // by the debugger, which a policy of the page does not stop
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.flat().join(' ')} ${failureSummary}`),
  );
}
/** What is moving has no colours that can be judged. */
const settled = (page: Page) =>
  page.evaluate(async () => {
    const { shadowRoot } = document.querySelector('agent-store-widget')!;
    for (const animation of shadowRoot!.getAnimations()) animation.finish();
    await new Promise((resolve) => requestAnimationFrame(resolve));
  });

const schemes = ['light', 'dark'] as const;
const screens = { desktop: { width: 1280, height: 800 }, mobile: { width: 390, height: 780 } };
const languages = ['en', 'ar'] as const;
const looks = (['desktop', 'mobile'] as const).flatMap((screen) =>
  languages.map((language) => ({ screen, language })),
);

describe.each(looks)('on $screen, in $language', ({ screen, language }) => {
  it('has no violation of WCAG 2.2 AA in any state, light or dark', async () => {
    const { page, widget, context } = await stage.visit(agent.widgetKey, {
      browser: {
        viewport: screens[screen],
        reducedMotion: 'reduce',
        hasTouch: screen === 'mobile',
      },
      page: { lang: language },
    });
    const found: Record<string, string[]> = {};
    const look = async (state: string): Promise<void> => {
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        await settled(page);
        found[`${state}, ${colorScheme}`] = await findings(page);
      }
    };
    await widget.launcher.waitFor();
    await look('launcher');
    await widget.open();
    await widget.panel.locator('[part=prompt]').waitFor();
    await look('empty');
    await widget.panel.locator('[part=prompt]').click();
    const actions = widget.answers.locator('.actions button');
    await actions.first().waitFor();
    await widget.ask(`And\n~~~js\nconst half = 1 / 2; // ${'and so on '.repeat(20)}\n~~~\nwith **this**`);
    await actions.nth(3).waitFor();
    for (const fold of await widget.answers.first().locator('.fold > button').all()) await fold.click();
    await widget.answers.locator('summary').first().click();
    await widget.answers.locator('.sources li button').first().click();
    await actions.nth(2).click();
    await look('conversation');
    await context.setOffline(true);
    await widget.notice.waitFor();
    await widget.ask('Said offline');
    await look('offline');
    await widget.panel.locator('[aria-haspopup=menu]').click();
    await widget.panel.getByRole('menu').waitFor();
    await look('menu');
    await page.keyboard.press('Escape');
    await context.setOffline(false);
    await actions.nth(8).waitFor();
    await widget.ask('Break, scripted-fail');
    await widget.panel.locator('.note.bad').waitFor();
    await look('failure');
    await widget.panel.locator('[aria-haspopup=menu]').click();
    await widget.panel.getByRole('menuitem').nth(1).click();
    await widget.panel.getByRole('listitem').first().waitFor();
    await look('history');
    const clean = Object.fromEntries(Object.keys(found).map((state) => [state, []]));
    expect(found).toEqual(clean);
    expect(Object.keys(found)).toHaveLength(14);
  });
});

/** What has the focus, in the page or in the widget. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const inner = document.querySelector('agent-store-widget')!.shadowRoot!.activeElement;
    const element = inner ?? document.activeElement!;
    return element.getAttribute('aria-label') ?? element.textContent!.trim();
  });

it('is used without a mouse', async () => {
  const { page, widget } = await stage.visit(agent.widgetKey);
  await expect.poll(() => widget.launcher.getAttribute('aria-label')).toBe('Open chat');
  await page.getByRole('button', { name: 'A button' }).focus();
  await page.keyboard.press('Tab');
  expect(await focused(page)).toBe('Open chat');
  await page.keyboard.press('Enter');
  await widget.panel.waitFor();
  await expect.poll(() => focused(page)).toBe('Write a message…');
  await page.keyboard.type('One');
  await page.keyboard.press('Enter');
  await widget.answered();
  await page.keyboard.type('Two');
  await page.keyboard.press('Enter');
  await widget.answered(2);
  expect(await focused(page)).toBe('Write a message…');

  await widget.answers.nth(1).focus();
  await page.keyboard.press('ArrowUp');
  expect(await focused(page)).toBe('You said: Two');
  await page.keyboard.press('Home');
  expect(await focused(page)).toBe('You said: One');
  await page.keyboard.press('ArrowDown');
  expect(await focused(page)).toMatch(/^Ada said: /);
  await page.keyboard.press('Enter');
  expect(await focused(page)).toMatch(/Used 1 tool|Copy/);
  await page.keyboard.press('Escape');
  expect(await focused(page)).toMatch(/^Ada said: /);
  await page.keyboard.press('Escape');
  expect(await focused(page)).toBe('Write a message…');

  await page.keyboard.press('F6');
  expect(await focused(page)).toBe('Close chat');
  await widget.panel.waitFor();
  await widget.composer.focus();
  await page.keyboard.press('Escape');
  await widget.panel.waitFor({ state: 'hidden' });
  expect(await focused(page)).toBe('Open chat');
});

it('announces a finished answer once, and nothing of it word by word', async () => {
  const { page, widget } = await stage.visit(agent.widgetKey);
  await widget.open();
  await page.evaluate(() => {
    const said: { text: string; at: number }[] = [];
    const node = document
      .querySelector('agent-store-widget')!
      .shadowRoot!.querySelector('.app > [role=status]')!;
    new MutationObserver(() => {
      if (node.textContent) said.push({ text: node.textContent, at: performance.now() });
    }).observe(node, { childList: true, characterData: true, subtree: true });
    Object.assign(window, { said });
  });
  const told = () =>
    page.evaluate(() => (window as unknown as { said: { text: string; at: number }[] }).said);
  await widget.ask('Listen, scripted-words?tokens=30&delay=20');
  await widget.answered();
  const whole = Array.from({ length: 30 }, (_token, at) => `w${at}`).join(' ');
  await expect
    .poll(async () => (await told()).some(({ text }) => text.includes(whole)), { timeout: 5_000 })
    .toBe(true);
  const texts = (await told()).map(({ text }) => text.trim());
  expect(texts.filter((text) => /\bw\d/.test(text))).toEqual([whole]);
  expect(texts[0]).toBe('The answer is being written');
  const times = (await told()).map(({ at }) => at);
  for (const [index, at] of times.slice(1).entries()) expect(at - times[index]!).toBeGreaterThan(900);
});
