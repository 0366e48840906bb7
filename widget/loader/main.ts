import type { Widget, WidgetOptions } from '../app/widget-api.ts';
import type { App } from './boot.ts';
import { floating, widgetOf } from './floating.ts';

/** Paths of the app and of what it imports at once, put in by the build: asked for together they come in one round trip. */
declare const appPaths: readonly string[];

/**
 * `AgentStore('open')`: a method of the first widget on the page, or, as `AgentStore('wk_….open')`, of a certain one. `AgentStore('boot', options)` adds a widget.
 */
interface AgentStore {
  (command: string, ...args: unknown[]): unknown;
  /** Calls from before the loader ran, kept by the snippet. */
  q?: ArrayLike<unknown>[];
  /** Set by the first loader on a page. */
  loaded?: true;
}
declare global {
  interface Window {
    AgentStore?: AgentStore;
  }
}

const script = (document.currentScript ??
  document.querySelector('script[data-widget-key], script[data-instance]')) as HTMLScriptElement | null;
const before = window.AgentStore;
const act: AgentStore = before?.loaded ? before : command;
if (act !== before) {
  act.loaded = true;
  window.AgentStore = act;
}
const { widgetKey, instance, store, language, open, hideLauncher, colorScheme } = script?.dataset ?? {};
if (widgetKey ?? instance)
  act('boot', {
    widgetKey: widgetKey ?? instance,
    ...(store && { store }),
    ...(language && { language }),
    ...(colorScheme && { colorScheme }),
    open: isOn(open),
    hideLauncher: isOn(hideLauncher),
  });
if (act !== before) for (const call of before?.q ?? []) act(...(Array.from(call) as [string, ...unknown[]]));

function command(name: string, ...args: unknown[]): unknown {
  if (name === 'boot') {
    const options = args[0] as WidgetOptions;
    const store = options.store ?? new URL(script?.src ?? location.href).origin;
    const load = (): Promise<App> =>
      Promise.all(appPaths.map((path) => import(`${store}${path}`))).then(([app]) => app as App);
    return floating({ ...options, store }, load);
  }
  const [method, key] = name.split('.').reverse() as [keyof Widget, string?];
  const widget = widgetOf(key ?? null);
  if (!widget || !Object.hasOwn(widget, method)) return console.warn(`AgentStore: nothing can do ${name}`);
  return (widget[method] as (...args: unknown[]) => unknown)(...args);
}

/** `data-open` and `data-open="true"`, but not `data-open="false"`. */
function isOn(attribute: string | undefined): boolean {
  return attribute !== undefined && attribute !== 'false';
}
