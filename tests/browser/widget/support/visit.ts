import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import type { Store } from '../../../e2e/support/store.ts';
import { brandedAgent, type BrandedAgent } from './branded-agent.ts';

/** The chat on a page, as a visitor sees it. */
export interface Chat {
  readonly launcher: Locator;
  readonly panel: Locator;
  readonly field: Locator;
  /** The last answer, once it is whole. */
  readonly answer: Locator;
}

/** The first widget on a page, floating or inline. Its words are English. */
export function chatOn(page: Page): Chat {
  const panel = page.locator('.panel').filter({ has: page.locator('.composer') });
  return {
    launcher: page.locator('.launcher'),
    panel,
    field: panel.locator('textarea'),
    answer: panel.locator('.message.agent[aria-busy=false] .bubble').last(),
  };
}

/** A trial agent of a new person, with a look. */
export const someonesAgent = async (store: Store, look: object): Promise<BrandedAgent> =>
  brandedAgent({ graph: store.as((await store.signUp()).token) }, look);

/** What a visitor of no earlier visit sees: one language, nothing that moves. */
export const visitor = (browser: Browser): Promise<BrowserContext> =>
  browser.newContext({
    viewport: { width: 1_000, height: 800 },
    locale: 'en-GB',
    reducedMotion: 'reduce',
    colorScheme: 'light',
  });

/** The two lines of docs/widget.md. */
export const snippetOf = (store: Store, { widgetKey }: BrandedAgent): string =>
  `<script>window.AgentStore=window.AgentStore||function(){(AgentStore.q=AgentStore.q||[]).push(arguments)}</script>` +
  `<script async src="${store.stack.publicOrigin}/widget/v1/loader.js" data-widget-key="${widgetKey}"></script>`;

export async function ask({ field, answer }: Chat, question: string): Promise<void> {
  await field.fill(question);
  await field.press('Enter');
  await answer.waitFor();
}
