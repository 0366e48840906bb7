import { curveOf } from './percentiles.ts';
import type { BenchResult } from './report.ts';

const meanings = {
  loader_br_kb: 'the script of the snippet, brotli (1 KB = 1,000 bytes); gate 3.0',
  app_br_kb: 'all that is loaded when the panel is opened first, brotli; gate 35',
  total_br_kb: 'with every lazily loaded part, brotli; gate 75',
  launcher_ms: 'from the navigation until the launcher is drawn, median; goal 600',
  open_to_typing_ms: 'from the press on the launcher until the field has the focus, median; goal 700',
  long_tasks: 'tasks over 50 ms from the navigation to typing, median; goal 0',
  blocked_ms: 'what these tasks were over 50 ms, in sum',
  layout_shift: 'of the page, by the widget',
  deep_chat_kb: 'on the wire for deep-chat, brotli',
  deep_chat_ms: 'from the navigation until its field is drawn, median',
  deep_chat_long_tasks: 'its tasks over 50 ms, median',
  score_empty: "the empty page's performance score, as Lighthouse weighs it",
  score_with_widget: 'the same page with the widget',
  score_with_deep_chat: 'the same page with deep-chat',
  launcher_vs_deep_chat: '`launcher_ms` / `deep_chat_ms`',
  score_delta: '`score_empty` − `score_with_widget`; goal at most 1',
};

/** The page of the bench `widget`. */
export const widgetPage = (samples: {
  readonly launcher: readonly number[];
  readonly typing: readonly number[];
  readonly deepChat: readonly number[];
}): BenchResult['page'] => ({
  title: 'the widget on a page',
  meanings,
  plot: {
    title: 'The widget on Slow 4G with a slow processor',
    alt: 'Percentiles of the time to the launcher, to typing, and to the field of deep-chat',
    panels: [
      { title: 'Navigation to launcher', yLabel: 'time (ms)', curve: curveOf(samples.launcher) },
      { title: 'Press on the launcher to typing', yLabel: 'time (ms)', curve: curveOf(samples.typing) },
      { title: 'deep-chat: navigation to its field', yLabel: 'time (ms)', curve: curveOf(samples.deepChat) },
    ],
  },
  method: `
## What is measured
The whole store on this machine, headless Chromium, a new browser context with an empty cache for each of ${samples.launcher.length} rounds; the three pages take turns in a round.
The network is Slow 4G as the developer tools of browsers have it (1.6 Mbit/s down, 750 kbit/s up, 150 ms), the processor four times slower. Everything is served compressed with brotli.

- **An empty page** has a heading and a sentence. The widget is added by the snippet of docs/widget.md; the launcher is drawn by the loader, before the app or a session is asked for.
- **deep-chat** is the lightest of the widgets that we know of; its bundle is served from the page's own origin, which spares it a connection that the widget has to make.
- **The score** is Lighthouse's for mobile by its own curves and weights (first paint also stands for the speed index); it is a comparison within this run, not an audit.
`,
});
