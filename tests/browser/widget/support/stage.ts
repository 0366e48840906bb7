import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { GraphClient } from '../../../../infra/dev/main-job/graph-client.ts';
import { openStore, type Person, type Store } from '../../../e2e/support/store.ts';
import { openBrowser } from '../../browser.ts';
import { branded, brandedAgent, type BrandedAgent } from './branded-agent.ts';
import { openHostSite, type HostPage, type HostSite } from './host-site.ts';
import { widgetOn, type WidgetOnPage } from './widget-on-page.ts';

/** A store, customers' sites, and a browser: what every story of the widget takes place on. */
export interface Stage {
  readonly store: Store;
  readonly browser: Browser;
  readonly site: HostSite;
  /** An agent of a new person's that the site may carry. */
  agent(look?: object): Promise<OwnedAgent>;
  /** One of a bought plan, with room for many runs at once. */
  boughtAgent(look?: object): Promise<OwnedAgent>;
  /** A page with the snippet of this key in it, in a browser profile of its own. */
  visit(widgetKey: string, options?: VisitOptions): Promise<Visit>;
  /** Closes the profiles of the test. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

export interface OwnedAgent extends BrandedAgent {
  readonly owner: Person;
  readonly graph: GraphClient;
}

export interface VisitOptions {
  readonly context?: BrowserContext;
  readonly browser?: BrowserContextOptions;
  /** Of the snippet's script. */
  readonly attributes?: string;
  readonly page?: Partial<HostPage> & {
    readonly head?: string;
    readonly body?: string;
    readonly lang?: string;
  };
  /** Before the page is opened. */
  readonly before?: (page: Page) => Promise<void>;
}

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly widget: WidgetOnPage;
  readonly url: string;
  /** Warnings and errors of the console, and exceptions. */
  readonly console: readonly string[];
}

export async function openStage(options: Parameters<typeof openStore>[0] = {}): Promise<Stage> {
  const [store, browser, site] = await Promise.all([
    openStore({ widget: true, delayPerTokenMs: 1, recheckMs: 1_000, ...options }),
    openBrowser(),
    openHostSite(),
  ]);
  const contexts = new Set<BrowserContext>();
  let pages = 0;
  return {
    store,
    browser,
    site,
    async agent(look = {}) {
      const owner = await store.signUp();
      const graph = store.as(owner.token);
      const agent = await brandedAgent({ graph }, { allowedDomains: [site.origin], ...look });
      return { ...agent, owner, graph };
    },
    async boughtAgent(look = {}) {
      const owner = await store.signUp();
      const graph = store.as(owner.token);
      const home = await owner.withActiveInstance();
      const agent = await branded(graph, home, { allowedDomains: [site.origin], ...look });
      return { ...agent, owner, graph };
    },
    async visit(
      widgetKey,
      { context: former, browser: profile, attributes = '', page: host = {}, before } = {},
    ) {
      const context =
        former ?? (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...profile }));
      contexts.add(context);
      const page = await context.newPage();
      const said: string[] = [];
      page.on('console', (message) => {
        if (['warning', 'error'].includes(message.type())) said.push(message.text());
      });
      page.on('pageerror', (error) => said.push(error.message));
      const snippet = `<script async src="${store.stack.publicOrigin}/widget/v1/loader.js" data-widget-key="${widgetKey}" ${attributes}></script>`;
      const url = site.put(`page-${++pages}`, {
        html: `<!doctype html><html lang="${host.lang ?? 'en'}"><head><title>A page</title><link rel="icon" href="data:,">${host.head ?? ''}${snippet}</head><body>${host.body ?? '<main><h1>A page</h1><button>A button</button></main>'}</body></html>`,
        ...host,
      });
      await before?.(page);
      await page.goto(url);
      return { page, context, widget: widgetOn(page, widgetKey), url, console: said };
    },
    async leave() {
      for (const context of contexts) await context.close();
      contexts.clear();
    },
    async close() {
      await browser.close();
      await site.close();
      await store.close();
    },
  };
}
