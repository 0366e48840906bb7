import type { Widget, WidgetOptions } from '../app/widget-api.ts';
import { type App, boot } from '../loader/boot.ts';

/** Puts a widget inside an element of the page, open. The element's shadow root is used again by the next one. */
export function inline(element: HTMLElement, options: WidgetOptions, load: () => Promise<App>): Widget {
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  const remove = (): void => {
    root.replaceChildren();
    root.adoptedStyleSheets = [];
  };
  return boot({ ...options, mode: 'inline', open: true }, { root, launcher: null, remove }, load);
}
