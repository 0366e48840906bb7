import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { PNG } from 'pngjs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { config } from '../../config.ts';
import { helpDeskAgent, orderDeskAgent } from './support/desk-agents.ts';
import { reserveCredits } from './support/reserve-credits.ts';
import { openStage, type OwnedAgent, type Stage, type Visit, type VisitOptions } from './support/stage.ts';

const folder = path.join(import.meta.dirname, '../../../docs/widget');
const css = fs.readFileSync(
  path.join(import.meta.dirname, '../../../infra/dev/customer-site/site.css'),
  'utf8',
);
const mostBytes = 80_000;
const look = {
  brandName: 'Kettle & Co. help',
  primaryColor: '#b5651d',
  accentColor: '#2f6f4f',
  launcherText: 'Ask us',
  greeting: 'Good day! Ask me about your machine, or about returns.',
  suggestedPrompts: ['How much citric acid does descaling take?', 'How long may I send goods back?'],
};

let stage: Stage;
let helpDesk: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  helpDesk = await helpDeskAgent(stage, look);
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

async function visit(agent: OwnedAgent, options: VisitOptions = {}): Promise<Visit> {
  const visited = await stage.visit(agent.widgetKey, {
    ...options,
    browser: { viewport: { width: 720, height: 720 }, reducedMotion: 'reduce', ...options.browser },
    page: {
      head: `<meta name="viewport" content="width=device-width"><style>${css}</style>`,
      body: '<nav><strong>Kettle &amp; Co.</strong> <a href="#">Machines</a> <a href="#">Help</a></nav><main><h1>Espresso machines that outlast fashions</h1><p>Built to be repaired, and sold with every part of it.</p></main>',
      ...options.page,
    },
  });
  await visited.widget.launcher.getByText('Ask us').waitFor();
  return visited;
}

/** All that is seen of the widget, with some of the page around. `UPDATE_DOCS=1` puts it where docs/widget.md shows it. Answers its bytes. */
async function picture(page: Page, name: string, { whole = false } = {}): Promise<number> {
  const { width, height } = page.viewportSize()!;
  const shown = whole ? { x: 0, y: 0, width, height } : { x: width - 450, y: 0, width: 450, height };
  // a browser packs its pictures in a hurry
  const image = PNG.sync.write(PNG.sync.read(await page.screenshot({ clip: shown })), {
    colorType: 2,
    deflateLevel: 9,
    deflateStrategy: 0,
    filterType: 0, // the best for plain areas
  });
  if (config.read().UPDATE_DOCS !== '1') return image.length;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.png`), image);
  return image.length;
}

it('closed, and open', async () => {
  const { page, widget } = await visit(helpDesk);
  expect(await picture(page, 'closed', { whole: true })).toBeLessThanOrEqual(mostBytes);
  await widget.open();
  await widget.panel.locator('[part=prompt]').first().waitFor();
  expect(await picture(page, 'open')).toBeLessThanOrEqual(mostBytes);
});

it('an answer with citations, light and dark', async () => {
  const { page, widget } = await visit(helpDesk);
  await widget.open();
  await widget.panel.locator('[part=prompt]').first().click();
  await widget.answered();
  await widget.texts.locator('.cite').last().click();
  await widget.answers.getByRole('blockquote').waitFor();
  await widget.panel.locator('.scroller').evaluate((scroller) => scroller.scrollBy(0, 1_000));
  await widget.composer.focus();
  await widget.panel.getByRole('button', { name: 'Latest messages' }).waitFor({ state: 'detached' });
  expect(await picture(page, 'citations')).toBeLessThanOrEqual(mostBytes);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await picture(page, 'dark')).toBeLessThanOrEqual(mostBytes);
});

it('tool steps', async () => {
  const { page, widget } = await visit(await orderDeskAgent(stage, look));
  await widget.open();
  await widget.ask('Where is my order A-1042?');
  await widget.answered();
  await widget.answers.getByRole('button', { name: 'Used 2 tools' }).click();
  await widget.answers.locator('summary').first().click();
  await widget.composer.focus();
  expect(await picture(page, 'tool-steps')).toBeLessThanOrEqual(mostBytes);
});

it('on a phone', async () => {
  const { page, widget } = await visit(helpDesk, {
    browser: { viewport: { width: 390, height: 720 }, hasTouch: true, isMobile: true },
  });
  await widget.open();
  await widget.ask('What does **this** cost?\n- a gasket\n- a basket');
  await widget.answered();
  expect(await picture(page, 'phone', { whole: true })).toBeLessThanOrEqual(mostBytes);
});

it('in Arabic', async () => {
  const { page, widget } = await visit(helpDesk, {
    page: { lang: 'ar" dir="rtl' },
  });
  await widget.open();
  await widget.ask('كم يستغرق التوصيل؟');
  await widget.answers.locator('.actions').waitFor();
  expect(await picture(page, 'arabic')).toBeLessThanOrEqual(mostBytes);
});

it('out of credits', async () => {
  const poor = await stage.agent(look);
  await reserveCredits(stage, poor);
  const { page, widget } = await visit(poor);
  await widget.open();
  await widget.ask('Can you help me?');
  await widget.questions.getByText('out of credits').waitFor();
  expect(await picture(page, 'out-of-credits')).toBeLessThanOrEqual(mostBytes);
});

it('paused', async () => {
  const tired = await stage.agent(look);
  await tired.owner.query(
    'mutation ($input: InstancePauseInput!) { instanceChange: instancePause(input: $input) { errors { code } } }',
    { input: { instanceId: tired.instanceId } },
  );
  const { page, widget } = await visit(tired);
  await widget.open();
  await widget.notice.getByText('This agent is paused').waitFor();
  expect(await picture(page, 'paused')).toBeLessThanOrEqual(mostBytes);
});
