import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { words as ar } from '../../../widget/app/locales/ar.ts';
import { words as de } from '../../../widget/app/locales/de.ts';
import { words as en } from '../../../widget/app/locales/en.ts';
import { words as es } from '../../../widget/app/locales/es.ts';
import { words as fr } from '../../../widget/app/locales/fr.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent();
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

it.each([
  ['en-GB', en],
  ['de-AT', de],
  ['fr-CA', fr],
  ['es-MX', es],
  ['ar-EG', ar],
] as const)('speaks %s', async (language, words) => {
  const { page, widget } = await stage.visit(agent.widgetKey, { page: { lang: language } });
  const { panel } = widget;
  const press = (name: string) => panel.getByRole('button', { name, exact: true }).click();
  await page.waitForResponse(/session:init$/);
  await expect.poll(() => widget.launcher.getAttribute('aria-label')).toBe(words.open);
  await widget.open();
  await panel.getByText(words.greeting).waitFor();
  await panel.getByText(words.aiAgent).waitFor();
  await panel.getByText(words.disclaimer).waitFor();
  await panel.getByPlaceholder(words.composer).fill('¿…?');
  await press(words.send);
  await panel.getByRole('button', { name: words.good }).waitFor();
  await press(words.bad);
  await panel.getByPlaceholder(words.whyBad).waitFor();
  await panel.getByText(words.sendReason).click();
  await panel.getByText(words.thanks).waitFor();
  await press(words.menu);
  await panel.getByRole('menuitem', { name: words.history }).click();
  await panel.getByRole('heading', { name: words.history }).waitFor();
  await press(words.back);
  expect(await panel.evaluate((element) => getComputedStyle(element).direction)).toBe(words.dir);
  const [field, send] = [
    (await widget.composer.boundingBox())!,
    (await panel.locator('.send').boundingBox())!,
  ];
  expect(send.x > field.x).toBe(words.dir === 'ltr');
});

it('speaks the language of the snippet before the page’s, and the page’s before the browser’s', async () => {
  const said = await stage.visit(agent.widgetKey, {
    browser: { locale: 'fr-FR' },
    attributes: 'data-language="es"',
    page: { lang: 'de' },
  });
  await said.widget.open();
  await said.widget.panel.getByText(es.greeting).waitFor();
  const page = await stage.visit(agent.widgetKey, { browser: { locale: 'fr-FR' }, page: { lang: 'de' } });
  await page.widget.open();
  await page.widget.panel.getByText(de.greeting).waitFor();
  const browser = await stage.visit(agent.widgetKey, { browser: { locale: 'fr-FR' }, page: { lang: '' } });
  await browser.widget.open();
  await browser.widget.panel.getByText(fr.greeting).waitFor();
});
