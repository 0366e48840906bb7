import type { Locator, Page } from 'playwright-core';

/** The widget as a visitor finds it, in English. */
export interface WidgetOnPage {
  /** The element beside the body. */
  readonly host: Locator;
  readonly launcher: Locator;
  readonly panel: Locator;
  readonly composer: Locator;
  readonly questions: Locator;
  readonly answers: Locator;
  /** Of an answer. */
  readonly texts: Locator;
  readonly notice: Locator;
  /** Presses the launcher. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Types it and presses Enter. */
  ask(text: string): Promise<void>;
  /** Until so many answers are whole; answers the text of the last one. */
  answered(count?: number): Promise<string>;
  /** Of the menu. */
  choose(item: string): Promise<void>;
}

export function widgetOn(page: Page, widgetKey: string): WidgetOnPage {
  const host = page.locator(`agent-store-widget[data-widget-key="${widgetKey}"]`);
  const launcher = host.locator('.launcher');
  const panel = host.locator('[part=panel]');
  const composer = panel.locator('textarea');
  const answers = panel.locator('[part=agent-message]');
  const texts = answers.locator('.prose');
  return {
    host,
    launcher,
    panel,
    composer,
    answers,
    texts,
    questions: panel.locator('[part=visitor-message]'),
    notice: panel.locator('[part=notice]'),
    async open() {
      await launcher.click();
      await panel.waitFor();
    },
    async close() {
      await panel.getByRole('button', { name: 'Close chat' }).click();
      await panel.waitFor({ state: 'hidden' });
    },
    async ask(text) {
      await composer.fill(text);
      await composer.press('Enter');
    },
    async answered(count = 1) {
      await answers
        .nth(count - 1)
        .getByRole('button', { name: 'Good answer' })
        .waitFor();
      return texts.nth(count - 1).innerText();
    },
    async choose(item) {
      await panel.getByRole('button', { name: 'More' }).click();
      await panel.getByRole('menuitem', { name: item }).click();
    },
  };
}
