// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { MountWidget, Widget, WidgetOptions } from '../app/widget-api.ts';
import type { App } from './boot.ts';
import { floating, widgetOf } from './floating.ts';

const options: WidgetOptions = { widgetKey: 'wk_1', store: 'https://store.example' };
const widgets: Widget[] = [];
let calls: string[];
let mounts: Parameters<MountWidget>[0][];
let fail: ((detail: { code: string }) => void) | undefined;

/** An app that writes down what is asked of it. */
const mount: MountWidget = (place) => {
  mounts.push(place);
  const call =
    (name: string) =>
    (...args: unknown[]): Promise<void> => {
      calls.push([name, ...args].join(' '));
      return Promise.resolve();
    };
  return {
    open: call('open'),
    close: call('close'),
    toggle: call('toggle'),
    send: call('send'),
    identify: call('identify'),
    reset: call('reset'),
    shutdown: call('shutdown'),
    on(name, listener) {
      if (name === 'error') fail ??= listener as typeof fail;
      else calls.push(`on ${name}`);
      return () => calls.push(`off ${name}`);
    },
  } satisfies Widget;
};
const load = vi.fn((): Promise<App> => Promise.resolve({ mount }));

function put(more: Partial<WidgetOptions> = {}): Widget {
  const widget = floating({ ...options, ...more }, load);
  widgets.push(widget);
  return widget;
}
const hosts = (): NodeListOf<HTMLElement> => document.querySelectorAll('agent-store-widget');
const launcher = (): HTMLButtonElement => hosts()[0]!.shadowRoot!.querySelector('button')!;

beforeEach(() => {
  calls = [];
  mounts = [];
  fail = undefined;
  load.mockClear();
  vi.stubGlobal('requestIdleCallback', vi.fn());
});
afterEach(() => {
  for (const widget of widgets.splice(0)) widget.shutdown();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it('draws a launcher at once and loads nothing until the page is idle', async () => {
  put();
  expect(launcher().getAttribute('aria-label')).toBe('Chat');
  expect(hosts()[0]!.parentNode).toBe(document.documentElement);
  expect(load).not.toHaveBeenCalled();
  const [task] = vi.mocked(requestIdleCallback).mock.calls[0]!;
  task({ didTimeout: false, timeRemaining: () => 1 });
  await expect.poll(() => mounts).toHaveLength(1);
  expect(mounts[0]).toEqual({ root: hosts()[0]!.shadowRoot, options, launcher: launcher() });
});

it('loads nothing of itself where the visitor saves data', () => {
  vi.stubGlobal('navigator', { connection: { saveData: true } });
  put();
  expect(requestIdleCallback).not.toHaveBeenCalled();
});

it('does what was asked before the app was there, in that order', async () => {
  const widget = put();
  widget.on('message', () => undefined);
  const off = widget.on('answer', () => undefined);
  off();
  void widget.identify('jwt');
  void widget.send('hello');
  widget.close();
  await expect.poll(() => calls).toEqual(['on message', 'identify jwt', 'send hello', 'close']);
  expect(load).toHaveBeenCalledTimes(1);
});

it('loads at a press of the launcher, once', async () => {
  put();
  launcher().click();
  launcher().click();
  await expect.poll(() => calls).toEqual(['toggle', 'toggle']);
  expect(load).toHaveBeenCalledTimes(1);
});

it('opens at once and without a launcher where it is told to', async () => {
  put({ open: true, hideLauncher: true });
  await expect.poll(() => calls).toEqual(['open']);
  expect(hosts()[0]!.shadowRoot!.childElementCount).toBe(0);
});

it('tries again after the app could not be loaded', async () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  load.mockRejectedValueOnce(new Error('offline'));
  const widget = put();
  const first = widget.open();
  await expect.poll(() => warn).toHaveBeenCalledTimes(1);
  await widget.open();
  await first;
  expect(calls).toEqual(['open', 'open']);
});

it('is one per key, and several on a page', () => {
  const one = put();
  expect(put()).toBe(one);
  const other = put({ widgetKey: 'wk_2' });
  expect(hosts()).toHaveLength(2);
  expect(widgetOf(null)).toBe(one);
  expect(widgetOf('wk_2')).toBe(other);
  one.shutdown();
  expect(widgetOf(null)).toBe(other);
  expect(put()).not.toBe(one);
});

it.each(['refused-origin', 'not-found'])('leaves the page after %s and says why, once', async (code) => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  await put().open();
  fail!({ code: 'unavailable' });
  expect(hosts()).toHaveLength(1);
  fail!({ code });
  fail!({ code });
  expect(hosts()).toHaveLength(0);
  expect(warn).toHaveBeenCalledTimes(1);
  await expect.poll(() => calls).toContain('shutdown');
});

it('is there after the body was swapped, after the whole document was, and after the page came from the cache', async () => {
  put();
  const [host] = hosts();
  document.body.replaceWith(document.createElement('body'));
  expect(host!.isConnected).toBe(true);
  host!.remove();
  await expect.poll(() => host!.isConnected).toBe(true);
  host!.remove();
  dispatchEvent(new Event('pageshow'));
  expect(host!.isConnected).toBe(true);
});

it('is not there after its shutdown, whatever the page does', async () => {
  const widget = put();
  const [host] = hosts();
  widget.shutdown();
  widget.shutdown();
  dispatchEvent(new Event('pageshow'));
  void widget.open();
  await Promise.resolve();
  expect(host!.isConnected).toBe(false);
  expect(load).not.toHaveBeenCalled();
});
