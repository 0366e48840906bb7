import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { hostile } from '../../../widget/app/markdown/testing/hostile.ts';
import { moduleScript } from './support/module-script.ts';
import { snippetOf } from './support/snippet.ts';
import { openStage, type Stage } from './support/stage.ts';
import { widgetOn } from './support/widget-on-page.ts';

let stage: Stage;
let context: BrowserContext;
let page: Page;
let executed: string[];
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
beforeEach(async () => {
  context = await stage.browser.newContext();
  executed = [];
  await context.exposeFunction('told', (what: string) => executed.push(what));
  // What the payloads would call, and what a page does when something runs or loads that fails.
  await context.addInitScript(`for (const name of ['alert', 'confirm', 'prompt', 'msgbox', 'print', 'open'])
    window[name] = (...args) => void told(name + '(' + args + ')');
    addEventListener('securitypolicyviolation', (event) => told('violated ' + event.violatedDirective));`);
  context.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    const ours = [stage.site.origin, stage.store.stack.publicOrigin].includes(origin.replace(/^ws/, 'http'));
    if (!ours && protocol !== 'blob:') executed.push(`asked ${request.url()}`);
  });
  page = await context.newPage();
  context.on('page', (opened) => executed.push(`opened ${opened.url()}`));
  page.on('dialog', (dialog) => {
    executed.push(`asked ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => executed.push(`threw ${error.message}`));
  page.on('framenavigated', (frame) => executed.push(`is at ${frame.url()}`));
});
afterEach(() => context.close());

it('draws at least 300 texts that mean harm, in pieces of any size, and executes nothing', async () => {
  const script = await moduleScript(
    `import { tryHostile } from './hostile-page.ts'; Object.assign(globalThis, { tryHostile })`,
    {
      from: 'widget/app/markdown/testing',
    },
  );
  const url = stage.site.put('payloads', { html: `<!doctype html><html><body>${script}` });
  await page.goto(url);
  const cuts = Array.from({ length: 1_009 }, () => Math.random());
  const trial = await page.evaluate<{ texts: number; pressed: number; faults: string[] }>(
    `tryHostile(${JSON.stringify(cuts)})`,
  );
  expect({ ...trial, executed }).toEqual({
    texts: hostile.length,
    pressed: expect.any(Number) as number,
    faults: [],
    executed: [`is at ${url}`],
  });
  expect(trial.texts).toBeGreaterThanOrEqual(300);
  expect(trial.pressed).toBeGreaterThan(30);
});

it('shows them as the agent says them, and from its look, and executes nothing, even after a reload', async () => {
  const harm = '<img src=x onerror=alert(1)>';
  const agent = await stage.agent({
    brandName: harm,
    greeting: `${harm}\n[a](javascript:alert(1))`,
    launcherText: '<svg onload=alert(1)>',
    suggestedPrompts: ['"><script>alert(1)</script>', 'javascript:alert(1)'],
  });
  const html = `<!doctype html><html lang="en"><head>${snippetOf(stage, agent.widgetKey)}</head><body>`;
  const url = stage.site.put('agent', { html });
  await page.goto(url);
  const widget = widgetOn(page, agent.widgetKey);
  await widget.open();
  await widget.panel.getByRole('button', { name: 'javascript:alert(1)' }).waitFor();
  // The agent repeats the last paragraph of what it is asked. Halves of a character, and zero, are never sent.
  const said = hostile
    .filter((text) => text.isWellFormed() && !text.includes('\0'))
    .map((text) => `- ${text.replaceAll(/\s*\n\s*/g, '\n  ')}`)
    .join('\n');
  await widget.ask(said.slice(0, 30_000));
  await widget.answered();
  await page.reload();
  await widget.open();
  await widget.answered();
  expect(await widget.texts.locator('li').count()).toBeGreaterThan(300);
  for (const link of await widget.texts.locator('a').all())
    expect(await link.getAttribute('href')).toMatch(/^(https?|mailto|tel):/);
  expect(await widget.panel.locator('img, script, iframe, style').count()).toBe(0);
  expect(executed).toEqual([`is at ${url}`, `is at ${url}`]);
});
