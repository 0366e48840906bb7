import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { words as ar } from '../../../widget/app/locales/ar.ts';
import { words as de } from '../../../widget/app/locales/de.ts';
import { words as en } from '../../../widget/app/locales/en.ts';
import { words as es } from '../../../widget/app/locales/es.ts';
import { words as fr } from '../../../widget/app/locales/fr.ts';
import { openStage, type OwnedAgent, type Stage, type Visit, type VisitOptions } from './support/stage.ts';

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
  const { widget } = await stage.visit(agent.widgetKey, { page: { lang: language } });
  const { panel } = widget;
  const press = (name: string) => panel.getByRole('button', { name, exact: true }).click();
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
  const greeting = async (visited: Visit): Promise<string> => {
    await visited.widget.open();
    const greeted = visited.widget.panel.locator('.welcome p');
    // English until the other words are there
    await greeted.filter({ hasNotText: en.greeting }).waitFor();
    return greeted.innerText();
  };
  const browser = { locale: 'fr-FR' };
  const visit = (options: VisitOptions) => stage.visit(agent.widgetKey, { browser, ...options });
  expect(await greeting(await visit({ page: { lang: 'de' }, attributes: 'data-language="es"' }))).toBe(
    es.greeting,
  );
  expect(await greeting(await visit({ page: { lang: 'de' } }))).toBe(de.greeting);
  expect(await greeting(await visit({ page: { lang: '' } }))).toBe(fr.greeting);
});
