import type { Widget, WidgetOptions } from '../app/widget-api.ts';
import { type App, boot } from './boot.ts';
import { placeHost } from './host.ts';
import { drawLauncher } from './launcher.ts';

/** Widgets over this page, by key: there is one of each. */
const widgets = new Map<string, Widget>();

/** Puts a widget over the page; the one that is there already where the key has one. */
export function floating(options: WidgetOptions, load: () => Promise<App>): Widget {
  const { widgetKey } = options;
  const there = widgets.get(widgetKey);
  if (there) return there;
  const host = placeHost(widgetKey);
  const launcher = options.hideLauncher ? null : drawLauncher(host.root);
  const widget = boot(
    options,
    {
      root: host.root,
      launcher,
      remove() {
        widgets.delete(widgetKey);
        host.remove();
      },
    },
    load,
  );
  widgets.set(widgetKey, widget);
  return widget;
}

/** The widget of a key, or the page's first. */
export function widgetOf(widgetKey: string | null): Widget | undefined {
  return widgetKey ? widgets.get(widgetKey) : widgets.values().next().value;
}
