import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { runsOf } from './support/runs-of.ts';
import { openStage, type OwnedAgent, type Stage } from './support/stage.ts';

let stage: Stage;
let agent: OwnedAgent;
beforeAll(async () => {
  stage = await openStage();
  agent = await stage.agent({ suggestedPrompts: ['Where is my parcel?', 'Who are you?'] });
});
afterEach(() => stage.leave());
afterAll(() => stage.close());

const visit = (options?: Parameters<Stage['visit']>[1]) => stage.visit(agent.widgetKey, options);
const runOf = async (input: string) => (await runsOf(agent)).find((run) => run.input === input)!;

it('answers a stranger, word by word, with Markdown', async () => {
  const { page, widget, console } = await visit();
  await widget.open();
  await widget.composer.waitFor();
  const grew = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const { shadowRoot } = document.querySelector('agent-store-widget')!;
        const lengths = new Set<number>();
        const observer = new MutationObserver(() => {
          const text = shadowRoot!.querySelector('.prose')?.textContent ?? '';
          lengths.add(text.length);
          if (!text.includes('never make anything up.')) return;
          observer.disconnect();
          resolve(lengths.size);
        });
        observer.observe(shadowRoot!, { subtree: true, childList: true, characterData: true });
      }),
  );
  await page.keyboard.type('Say, as scripted-slow?delay=20 does, **it** in `code`,');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('- one');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('- [two](https://example.com/two)');
  await page.keyboard.press('Enter');
  expect(await widget.answered()).toContain('never make anything up.');
  expect(await grew).toBeGreaterThan(3);
  const answer = widget.texts.first();
  expect(await answer.locator('strong').innerText()).toBe('it');
  expect(await answer.locator('code').innerText()).toBe('code');
  expect(await answer.locator('li').count()).toBe(2);
  const link = answer.getByRole('link', { name: 'two' });
  expect(await link.getAttribute('href')).toBe('https://example.com/two');
  expect(await link.getAttribute('rel')).toContain('noopener');
  expect(console).toEqual([]);
});

it('sends a suggested prompt with one press', async () => {
  const { widget } = await visit();
  await widget.open();
  await widget.panel.getByRole('button', { name: 'Where is my parcel?' }).click();
  expect(await widget.answered()).toContain('Where is my parcel?');
  expect(await widget.questions.allInnerTexts()).toEqual(['Where is my parcel?']);
});

it('keeps a thumb and its reason with the run', async () => {
  const { widget } = await visit();
  await widget.open();
  await widget.ask('Was this right?');
  await widget.answered();
  await widget.panel.getByRole('button', { name: 'Good answer' }).click();
  await expect
    .poll(async () => (await runOf('Was this right?')).rating)
    .toEqual({ rating: 'UP', reason: null });
  await widget.panel.getByRole('button', { name: 'Bad answer' }).click();
  await widget.panel.getByPlaceholder('What was wrong? (optional)').fill('It was not.');
  await widget.panel.getByRole('button', { name: 'Send feedback' }).click();
  await expect
    .poll(async () => (await runOf('Was this right?')).rating)
    .toEqual({ rating: 'DOWN', reason: 'It was not.' });
});

it('gives the transcript as text and as JSON', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('For my files');
  await widget.answered();
  const saved = async (item: string): Promise<{ name: string; text: string }> => {
    const [download] = await Promise.all([page.waitForEvent('download'), widget.choose(item)]);
    return { name: download.suggestedFilename(), text: fs.readFileSync(await download.path(), 'utf8') };
  };
  const markdown = await saved('Download as text');
  expect(markdown.name).toMatch(/\.md$/);
  expect(markdown.text).toMatch(/For my files[^]*You asked: “For my files”/);
  const json = await saved('Download as JSON');
  expect(json.name).toMatch(/\.json$/);
  expect(JSON.stringify(JSON.parse(json.text))).toContain('You asked: “For my files”');
});

it('stops an answer at the server', async () => {
  const { widget } = await visit();
  const question = 'Go on for ever, scripted-endless?delay=5';
  await widget.open();
  await widget.ask(question);
  await widget.texts.getByText('w10').waitFor();
  await widget.panel.getByRole('button', { name: 'Stop the answer' }).click();
  await widget.panel.getByText('You stopped this answer.').waitFor();
  await expect.poll(async () => (await runOf(question)).state).toBe('CANCELLED');
  expect(
    await widget.composer.evaluate((field) => (field.getRootNode() as ShadowRoot).activeElement === field),
  ).toBe(true);
});

it('has earlier conversations, and begins new ones', async () => {
  const { widget } = await visit();
  await widget.open();
  await widget.ask('The first talk');
  await widget.answered();
  await widget.choose('New conversation');
  await widget.panel.getByText('Hello! How can I help?').waitFor();
  await widget.ask('The second talk');
  await widget.answered();
  await widget.choose('Earlier conversations');
  const past = widget.panel.getByRole('listitem');
  await past.first().waitFor();
  expect(await past.locator('b').allInnerTexts()).toEqual(['The second talk', 'The first talk']);
  await past.nth(1).getByRole('button').click();
  await widget.questions.getByText('The first talk').waitFor();
  expect(await widget.answered()).toContain('You asked: “The first talk”');
  expect(await widget.questions.count()).toBe(1);
});

it('is where it was after a reload, and takes up an answer under way', async () => {
  const { page, widget } = await visit();
  await widget.open();
  await widget.ask('A short one');
  await widget.answered();
  await widget.ask('A long one, scripted-slow?tokens=400&delay=20');
  await widget.texts.nth(1).getByText('asked').waitFor();
  await page.reload();
  await widget.launcher.waitFor();
  const began = performance.now();
  await widget.open();
  await widget.texts.nth(1).getByText('asked').waitFor();
  const milliseconds = performance.now() - began;
  expect(await widget.questions.count()).toBe(2);
  expect(await widget.answers.nth(1).getAttribute('aria-busy')).toBe('true');
  process.stdout.write(
    `an answer under way taken up ${milliseconds.toFixed(0)} ms after the launcher was pressed\n`,
  );
  await widget.answered(2);
  const asked = (await runsOf(agent)).filter(({ input }) => input.startsWith('A long one'));
  expect(asked).toHaveLength(1);
  const shown = await widget.texts.nth(1).innerText();
  expect(shown.replaceAll(/\s+/g, ' ').trim()).toBe(asked[0]!.output!.replaceAll(/\s+/g, ' ').trim());
});
