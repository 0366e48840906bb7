import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { widgetDir } from '@agentstore/widget/build';
import { startCustomerSite } from '../../../infra/dev/customer-site/customer-site.ts';
import { freePorts } from '../../setup/free-ports.ts';
import { helpDeskAgent } from './support/desk-agents.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';
import { widgetOn } from './support/widget-on-page.ts';

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await helpDeskAgent(stage, {});
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

/** Of the page and of everything in it, from its first line on. */
async function violationsOf(page: Page): Promise<string[]> {
  const violations: string[] = [];
  await page.exposeFunction('tellViolation', (text: string) => void violations.push(text));
  await page.addInitScript(() =>
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      (window as unknown as { tellViolation: (text: string) => void }).tellViolation(
        `${violatedDirective} ${blockedURI} ${sample}`,
      ),
    ),
  );
  page.on('pageerror', (error) => violations.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') violations.push(message.text());
  });
  return violations;
}

it('lives within a strict policy that enforces Trusted Types, whatever is done with it', async () => {
  const site = await startCustomerSite({
    port: (await freePorts()).site,
    store: stage.store.stack.publicOrigin,
    widgetKey: () => agent.widgetKey,
    log: silentLog,
  });
  await agent.brand({ allowedDomains: [stage.site.origin, site.origin] });
  const context = await stage.browser.newContext();
  try {
    const page = await context.newPage();
    const violations = await violationsOf(page);
    await page.goto(site.origin);
    const widget = widgetOn(page, agent.widgetKey);
    await page.getByRole('button', { name: 'Ask about descaling' }).click();
    await widget.answered();
    await widget.answers.getByRole('button', { name: /^\d+ sources?$/ }).click();
    await widget.answers.getByRole('listitem').first().getByRole('button').click();
    await widget.answers.getByRole('blockquote').waitFor();
    await widget.answers.getByRole('button', { name: 'Used 1 tool' }).click();
    await widget.answers.locator('summary').click();
    await widget.answers.locator('details pre').first().waitFor();
    await widget.composer.fill(
      'Show me\n```js\nconst half = 1 / 2;\n```\nand a table:\n| a | b |\n|---|---|\n| 1 | 2 |',
    );
    await widget.composer.press('Enter');
    await widget.answered(2);
    await widget.texts.nth(1).locator('pre').waitFor();
    await widget.answers.nth(1).getByRole('button', { name: 'Bad answer' }).click();
    await widget.panel.getByPlaceholder('What was wrong? (optional)').fill('All');
    await widget.panel.getByRole('button', { name: 'Send feedback' }).click();
    await Promise.all([page.waitForEvent('download'), widget.choose('Download as text')]);
    const surface = () => widget.panel.evaluate((panel) => getComputedStyle(panel).backgroundColor);
    const light = await surface();
    await page.emulateMedia({ colorScheme: 'dark' });
    await expect.poll(surface).not.toBe(light);
    await widget.choose('Earlier conversations');
    await widget.panel.getByRole('listitem').first().waitFor();
    await page.setViewportSize({ width: 390, height: 800 });
    await expect.poll(() => widget.panel.getAttribute('data-shape')).toBe('full');
    expect(await widget.panel.evaluate((panel) => getComputedStyle(panel).width)).toBe('390px');
    await page.goto(`${site.origin}/help`);
    await widget.open();
    await widget.answered(2);
    expect(violations).toEqual([]);
  } finally {
    await context.close();
    await site.close();
  }
});

const store = (): string => stage.store.stack.publicOrigin;
const rest = (): string =>
  `default-src 'none'; style-src 'self'; style-src-attr 'none'; img-src 'self' data:; connect-src ${store()} ${store().replace('http', 'ws')}; require-trusted-types-for 'script'; base-uri 'none'`;
const loader = path.join(widgetDir, 'versions.json');
const versions = (): { file: string; integrity: string } =>
  Object.values(
    JSON.parse(fs.readFileSync(loader, 'utf8')) as Record<string, { file: string; integrity: string }>,
  ).at(-1)!;

it.each([
  ['a nonce and strict-dynamic', (): string => `script-src 'nonce-r4nd0m' 'strict-dynamic'`],
  ['the store as the only host', (): string => `script-src ${store()}`],
  [
    'the hash of a pinned loader, and the store for the rest',
    (): string => `script-src '${versions().integrity}' ${store()}/widget/assets/`,
  ],
] as const)('works under a policy of %s', async (_name, scripts) => {
  const { file, integrity } = versions();
  const url = stage.site.put('policy', {
    policy: `${scripts()}; ${rest()}`,
    html: `<!doctype html><html lang="en"><head><title>A page</title><link rel="icon" href="data:,"><script async nonce="r4nd0m" src="${store()}${file}" integrity="${integrity}" crossorigin="anonymous" data-widget-key="${agent.widgetKey}"></script></head><body></body></html>`,
  });
  const context = await stage.browser.newContext();
  try {
    const page = await context.newPage();
    const violations = await violationsOf(page);
    await page.goto(url);
    const widget = widgetOn(page, agent.widgetKey);
    await widget.open();
    await widget.ask('May you be here?');
    expect(await widget.answered()).toContain('May you be here?');
    expect(await widget.panel.evaluate((panel) => getComputedStyle(panel).position)).toBe('fixed');
    expect(violations).toEqual([]);
  } finally {
    await context.close();
  }
});

it('leaves a sandboxed page, which has no origin that could be allowed', async () => {
  const visited = await stage.visit(agent.widgetKey, { page: { policy: 'sandbox allow-scripts' } });
  await visited.widget.host.waitFor({ state: 'detached' });
  expect(visited.console.filter((text) => text.startsWith('AgentStore'))).toHaveLength(1);
});
