import type { Browser, CDPSession, Page } from 'playwright-core';

/** What one load of a page measured; times are milliseconds since the navigation began. */
export interface PageLoad {
  /** When the thing that was looked for was there and drawn. */
  readonly shownMs: number;
  /** From the press on it to the focus in a field to type in; null for a page in which nothing is pressed. */
  readonly typingMs: number | null;
  /** Tasks over 50 ms on the main thread, and what they were over in sum. */
  readonly longTasks: number;
  readonly blockedMs: number;
  readonly firstPaintMs: number;
  readonly largestPaintMs: number;
  readonly layoutShift: number;
  readonly kilobytes: number;
}

/** What a page must show, as an expression that is true once it does; and whether it is to be pressed. */
export interface Wanted {
  readonly shown: string;
  readonly press?: string;
}

/** Slow 4G of the browser's own developer tools, and a processor at a quarter of its speed. */
const network = {
  offline: false,
  latency: 150,
  downloadThroughput: (1.6 * 1_000_000) / 8,
  uploadThroughput: (750 * 1_000) / 8,
};
const slowdown = 4;
const settleMs = 1_500;

/** Runs in the page before anything else of it: notes paints, shifts, long tasks and where the focus goes. */
const observer = `(() => {
  const seen = { longTasks: [], shift: 0, largest: 0, first: 0, focusedAt: 0, pressedAt: 0 };
  const observe = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
  observe('longtask', ({ duration }) => seen.longTasks.push(duration));
  observe('layout-shift', ({ value, hadRecentInput }) => hadRecentInput || (seen.shift += value));
  observe('largest-contentful-paint', ({ startTime }) => (seen.largest = startTime));
  observe('paint', ({ name, startTime }) => name === 'first-contentful-paint' && (seen.first = startTime));
  // A focus that moves within a shadow root is no event outside of it: it is looked for with each frame.
  const look = () => {
    let field = document.activeElement;
    while (field?.shadowRoot?.activeElement) field = field.shadowRoot.activeElement;
    if (field?.tagName === 'TEXTAREA') seen.focusedAt = performance.now();
    else requestAnimationFrame(look);
  };
  addEventListener('pointerdown', ({ timeStamp }) => {
    seen.pressedAt = timeStamp;
    look();
  }, { capture: true, once: true });
  const within = (root, selector) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const host of root.querySelectorAll('*')) {
      const deeper = host.shadowRoot && within(host.shadowRoot, selector);
      if (deeper) return deeper;
    }
    return null;
  };
  window.__bench = { seen, find: (selector) => within(document, selector) };
})()`;

/** Loads `url` with an empty cache on the slow profile and says what happened. */
export async function loadPage(browser: Browser, url: string, wanted: Wanted): Promise<PageLoad> {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(observer);
    const devtools = await context.newCDPSession(page);
    const kilobytes = countBytes(devtools);
    await devtools.send('Network.enable');
    await devtools.send('Network.emulateNetworkConditions', network);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    await page.goto(url, { waitUntil: 'commit' });
    const shownMs = Number(
      await page
        .waitForFunction(
          `(${wanted.shown}) && new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now()))))`,
          undefined,
          { polling: 'raf', timeout: 60_000 },
        )
        .then((handle) => handle.jsonValue()),
    );
    // At once, while nothing more than what was looked for has come.
    const typingMs = wanted.press === undefined ? null : await press(page, wanted.press);
    await page.waitForTimeout(settleMs);
    const seen = await page.evaluate<Seen>('window.__bench.seen');
    return {
      shownMs,
      typingMs,
      longTasks: seen.longTasks.length,
      blockedMs: seen.longTasks.reduce((sum, duration) => sum + Math.max(0, duration - 50), 0),
      firstPaintMs: seen.first,
      largestPaintMs: seen.largest,
      layoutShift: seen.shift,
      kilobytes: kilobytes(),
    };
  } finally {
    await context.close();
  }
}

interface Seen {
  readonly longTasks: readonly number[];
  readonly shift: number;
  readonly largest: number;
  readonly first: number;
  readonly focusedAt: number;
  readonly pressedAt: number;
}

async function press(page: Page, selector: string): Promise<number> {
  const place = await page.evaluate<{ x: number; y: number }>(
    `(({ x, y, width, height }) => ({ x: x + width / 2, y: y + height / 2 }))(window.__bench.find(${JSON.stringify(selector)}).getBoundingClientRect())`,
  );
  await page.mouse.click(place.x, place.y);
  await page.waitForFunction('window.__bench.seen.focusedAt > 0', undefined, {
    polling: 'raf',
    timeout: 60_000,
  });
  const { focusedAt, pressedAt } = await page.evaluate<Seen>('window.__bench.seen');
  return focusedAt - pressedAt;
}

function countBytes(devtools: CDPSession): () => number {
  let bytes = 0;
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  return () => bytes / 1_000;
}
