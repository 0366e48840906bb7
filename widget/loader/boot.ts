import type { Trouble } from '../app/chat/trouble.ts';
import type { MountWidget, Widget, WidgetOptions } from '../app/widget-api.ts';

/** The app as a module. */
export interface App {
  readonly mount: MountWidget;
}

/** Where a widget is put. */
export interface Place {
  readonly root: ShadowRoot;
  readonly launcher: HTMLButtonElement | null;
  /** Takes it off the page. */
  remove(): void;
}

/** Troubles (`Trouble` of the app) with which the page shows nothing, with what its owner can do. */
const refusals: Readonly<Record<string, string>> = {
  'refused-origin': "this site's origin is not among the allowed domains of the instance",
  'not-found': 'there is no instance with this widget key',
} satisfies Partial<Record<Trouble['kind'], string>>;

/**
 * A widget whose app is loaded when it is first needed, or when the page has nothing else to do. What is asked of it before is done in the same order then; where
 * loading fails it is tried again by the next call that needs the app.
 */
export function boot(options: WidgetOptions, place: Place, load: () => Promise<App>): Widget {
  let loading = false;
  let gone = false;
  let resolve: (widget: Widget) => void;
  const mounted = new Promise<Widget>((done) => (resolve = done));

  const wake = (): Promise<Widget> => {
    if (!loading && !gone) {
      loading = true;
      // A task of its own: to run the app's modules and to draw it in one would keep a slow phone for too long.
      load().then(
        (app) => setTimeout(mount, 0, app),
        (error: unknown) => {
          loading = false;
          console.warn('AgentStore: the chat could not be loaded', error);
        },
      );
    }
    return mounted;
  };
  const mount = (app: App): void => {
    if (gone) return;
    const widget = app.mount({ root: place.root, options, launcher: place.launcher });
    widget.on('error', ({ code }) => {
      const reason = refusals[code];
      if (!reason || gone) return;
      api.shutdown();
      console.warn(`AgentStore: ${options.widgetKey} is not shown: ${reason}`);
    });
    setTimeout(resolve, 0, widget);
  };

  const api: Widget = {
    open: async () => (await wake()).open(),
    close: () => void mounted.then((widget) => widget.close()),
    toggle: () => void wake().then((widget) => widget.toggle()),
    send: async (text) => (await wake()).send(text),
    on(name, listener) {
      let off: (() => void) | null = null;
      let wanted = true;
      void mounted.then((widget) => wanted && (off = widget.on(name, listener)));
      return () => {
        wanted = false;
        off?.();
      };
    },
    identify: async (identity) => (await mounted).identify(identity),
    reset: async () => (await mounted).reset(),
    shutdown() {
      if (gone) return;
      gone = true;
      place.remove();
      void mounted.then((widget) => widget.shutdown());
    },
  };

  place.launcher?.addEventListener('click', api.toggle);
  for (const sign of ['pointerenter', 'focus']) place.launcher?.addEventListener(sign, wake, { once: true });
  if (options.open) void api.open();
  else whenIdle(wake);
  return api;
}

/** After the page has loaded and has nothing to do; never where the visitor saves data. */
function whenIdle(task: () => void): void {
  if ((navigator as { connection?: { saveData?: boolean } }).connection?.saveData) return;
  const wait = (): void => {
    if ('requestIdleCallback' in window) requestIdleCallback(task, { timeout: 5_000 });
    else setTimeout(task, 1_000);
  };
  if (document.readyState === 'complete') wait();
  else addEventListener('load', wait, { once: true });
}
