import fs from 'node:fs';
import path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { serve } from '@agentstore/kernel/http/server';
import { silentLog } from '@agentstore/kernel/log';
import { widgetDir } from '@agentstore/widget/build';
import { sizesOf } from '@agentstore/widget/sizes';
import { openBrowser } from '../browser/browser.ts';
import { brandedAgent } from '../browser/widget/support/branded-agent.ts';
import { openStore } from './open-store.ts';
import { loadPage, type PageLoad, type Wanted } from './page-load.ts';
import { scoreOf } from './load-score.ts';
import { percentile, rounded } from './percentiles.ts';
import { machine, type BenchOptions, type BenchResult } from './report.ts';
import { widgetPage } from './widget-page.ts';

const deepChat = path.join(import.meta.dirname, '../../node_modules/deep-chat/dist/deepChat.bundle.js');

/** What a site pays for the widget: bytes, time to the launcher and to typing on a slow phone, beside an empty page and beside deep-chat. */
export async function benchWidget({ quick, say }: BenchOptions): Promise<BenchResult> {
  const store = await openStore(say, { widget: true });
  const browser = await openBrowser();
  const pages = new Map<string, string>();
  const bundle = brotliCompressSync(fs.readFileSync(deepChat));
  const site = await serve({
    port: 0,
    log: silentLog,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/deep-chat.js')
        return new Response(bundle, {
          headers: { 'content-type': 'text/javascript', 'content-encoding': 'br' },
        });
      const html = pages.get(pathname);
      return html
        ? new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } })
        : new Response('', { status: 404 });
    },
  });
  try {
    const { widgetKey } = await brandedAgent(await store.buyer(), { allowedDomains: [site.origin] });
    const { publicOrigin } = store.stack;
    pages.set('/empty', emptyPage(''));
    pages.set(
      '/widget',
      emptyPage(
        `<script async src="${publicOrigin}/widget/v1/loader.js" data-widget-key="${widgetKey}"></script>`,
      ),
    );
    pages.set(
      '/deep-chat',
      emptyPage('<script type="module" src="/deep-chat.js"></script>', '<deep-chat></deep-chat>'),
    );
    const rounds = quick ? 1 : 7;
    const loads: Record<keyof typeof wanted, PageLoad[]> = { empty: [], widget: [], 'deep-chat': [] };
    for (let round = 0; round < rounds; round += 1)
      for (const [name, what] of Object.entries(wanted) as [keyof typeof wanted, Wanted][]) {
        const load = await loadPage(browser, `${site.origin}/${name}`, what);
        loads[name].push(load);
        say(
          `${name}: shown ${rounded(load.shownMs)} ms, typing ${load.typingMs === null ? '–' : `${rounded(load.typingMs)} ms`}, ${load.longTasks} long tasks, ${rounded(load.kilobytes)} KB`,
        );
      }
    const median = (name: keyof typeof wanted, of: (load: PageLoad) => number): number =>
      percentile(loads[name].map(of), 50);
    const sizes = await sizesOf(widgetDir);
    const launcherMs = median('widget', ({ shownMs }) => shownMs);
    const deepChatMs = median('deep-chat', ({ shownMs }) => shownMs);
    const figures = {
      loader_br_kb: sizes.loader / 1_000,
      app_br_kb: sizes.app / 1_000,
      total_br_kb: sizes.total / 1_000,
      launcher_ms: launcherMs,
      open_to_typing_ms: median('widget', ({ typingMs }) => typingMs ?? 0),
      long_tasks: median('widget', ({ longTasks }) => longTasks),
      blocked_ms: median('widget', ({ blockedMs }) => blockedMs),
      layout_shift: median('widget', ({ layoutShift }) => layoutShift),
      deep_chat_kb: median('deep-chat', ({ kilobytes }) => kilobytes),
      deep_chat_ms: deepChatMs,
      deep_chat_long_tasks: median('deep-chat', ({ longTasks }) => longTasks),
      score_empty: median('empty', scoreOf),
      score_with_widget: median('widget', scoreOf),
      score_with_deep_chat: median('deep-chat', scoreOf),
    };
    return {
      bench: 'widget',
      ratios: {
        launcher_vs_deep_chat: Number((launcherMs / deepChatMs).toFixed(4)),
        score_delta: Number((figures.score_empty - figures.score_with_widget).toFixed(4)),
      },
      figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, rounded(value)])),
      machine: machine(),
      page: widgetPage({
        launcher: loads.widget.map(({ shownMs }) => shownMs),
        typing: loads.widget.map(({ typingMs }) => typingMs ?? 0),
        deepChat: loads['deep-chat'].map(({ shownMs }) => shownMs),
      }),
    };
  } finally {
    await browser.close();
    await site.close(0);
    await store.close();
  }
}

/** An element of the widget is looked for in every shadow root. deep-chat is a chat at once; what it shows first is its field. */
const wanted = {
  empty: { shown: 'document.querySelector("h1")' },
  widget: {
    shown: 'window.__bench.find("button[part~=launcher]")',
    press: 'button[part~=launcher]',
  },
  'deep-chat': { shown: 'window.__bench.find("#text-input")' },
} satisfies Record<string, Wanted>;

const emptyPage = (head: string, body = ''): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A page</title><link rel="icon" href="data:,">${head}</head><body><h1>A page</h1><p>With some words.</p>${body}</body></html>`;
