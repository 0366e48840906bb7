// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** What runs on a page with this snippet. */
async function run(attributes: Readonly<Record<string, string>>): Promise<void> {
  const script = document.createElement('script');
  script.type = 'text/plain';
  script.src = 'https://store.example/widget/v1/loader.js';
  for (const [name, value] of Object.entries(attributes)) script.setAttribute(name, value);
  document.head.replaceChildren(script);
  vi.resetModules();
  await import('./main.ts');
}
const hosts = (): NodeListOf<HTMLElement> => document.querySelectorAll('agent-store-widget');
const act = (...call: unknown[]): unknown => (window.AgentStore as (...call: unknown[]) => unknown)(...call);

beforeEach(() => {
  vi.stubGlobal('appPaths', []);
  vi.stubGlobal('requestIdleCallback', vi.fn());
});
afterEach(() => {
  for (const host of hosts()) act(`${host.dataset['widgetKey']}.shutdown`);
  delete window.AgentStore;
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

it('puts the widget of its attributes on the page', async () => {
  await run({ 'data-widget-key': 'wk_1' });
  expect([...hosts()].map(({ dataset }) => dataset['widgetKey'])).toEqual(['wk_1']);
  expect(hosts()[0]!.shadowRoot!.querySelector('button')).not.toBeNull();
});

it('takes `data-instance` for the key, and hides the launcher unless that says false', async () => {
  await run({ 'data-instance': 'wk_1', 'data-hide-launcher': '' });
  expect(hosts()[0]!.shadowRoot!.querySelector('button')).toBeNull();
  await run({ 'data-instance': 'wk_2', 'data-hide-launcher': 'false' });
  expect(hosts()[1]!.shadowRoot!.querySelector('button')).not.toBeNull();
});

it('does what the snippet kept, after its own widget is there', async () => {
  const q: unknown[][] = [['boot', { widgetKey: 'wk_2' }], ['shutdown']];
  window.AgentStore = Object.assign(() => undefined, { q });
  await run({ 'data-widget-key': 'wk_1' });
  expect([...hosts()].map(({ dataset }) => dataset['widgetKey'])).toEqual(['wk_2']);
});

it('adds a widget where it runs twice, and none for the same key', async () => {
  await run({ 'data-widget-key': 'wk_1' });
  const first = window.AgentStore;
  await run({ 'data-widget-key': 'wk_1' });
  await run({ 'data-widget-key': 'wk_2' });
  expect(window.AgentStore).toBe(first);
  expect([...hosts()].map(({ dataset }) => dataset['widgetKey'])).toEqual(['wk_1', 'wk_2']);
});

it('acts on the first widget, or on the one that is named', async () => {
  await run({ 'data-widget-key': 'wk_1' });
  act('boot', { widgetKey: 'wk_2' });
  act('wk_2.shutdown');
  expect([...hosts()].map(({ dataset }) => dataset['widgetKey'])).toEqual(['wk_1']);
  act('shutdown');
  expect(hosts()).toHaveLength(0);
});

it.each(['nothing', 'wk_9.open', 'toString', '__proto__'])('says that nothing can do %s', async (name) => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue();
  await run({ 'data-widget-key': 'wk_1' });
  expect(act(name)).toBeUndefined();
  expect(warn).toHaveBeenCalledTimes(1);
});
