import type { SiteWords } from './locales/words.ts';

/** What a page can listen to. The argument of a listener is the event's detail. */
export interface WidgetEvents {
  ready: { readonly widgetKey: string };
  open: Record<string, never>;
  close: Record<string, never>;
  /** The visitor sent a message. */
  message: { readonly text: string; readonly key: string };
  /** An answer ended. */
  answer: { readonly runId: string; readonly state: 'done' | 'stopped' | 'failed'; readonly text: string };
  unread: { readonly count: number };
  rating: { readonly runId: string; readonly rating: 'UP' | 'DOWN'; readonly reason: string | null };
  error: { readonly code: string };
}

/** What the snippet's attributes (`data-…`), the element's attributes and `AgentStore('boot', …)` say. */
export interface WidgetOptions {
  /** `wk_…`. */
  readonly widgetKey: string;
  /** Origin of the store; the loader's own unless said. */
  readonly store?: string;
  /** BCP 47; the page's `lang`, else the browser's unless said. */
  readonly language?: string;
  /** Opens at once. */
  readonly open?: boolean;
  /** No launcher: the page opens it by the API. */
  readonly hideLauncher?: boolean;
  /** Where the panel is: over the page, or inside the element it was given. */
  readonly mode?: 'floating' | 'inline';
  /** Overrides branding's, for a page with a switch of its own. */
  readonly colorScheme?: 'auto' | 'light' | 'dark';
  /** A JWT of the customer's server, or what gets one. */
  readonly identity?: string | (() => Promise<string>);
  /** Said in place of the widget's own words, in the visitor's language. */
  readonly words?: SiteWords;
}

/** One widget on a page. Every call may come before the app is loaded: it is done when it is. */
export interface Widget {
  open(): Promise<void>;
  close(): void;
  toggle(): void;
  /** Opens, and says it in the visitor's name. */
  send(text: string): Promise<void>;
  on<Name extends keyof WidgetEvents>(name: Name, listener: (detail: WidgetEvents[Name]) => void): () => void;
  identify(identity: string | (() => Promise<string>) | null): Promise<void>;
  /** Forgets the visitor: for a sign-out of the page. */
  reset(): Promise<void>;
  /** Removes it from the page and closes its socket. */
  shutdown(): void;
}

/** What the loader imports: draws the panel into the shadow root that it made and acts on it. */
export type MountWidget = (place: {
  readonly root: ShadowRoot;
  readonly options: WidgetOptions;
  /** The launcher that the loader drew: gets the focus back, shows unread answers. */
  readonly launcher: HTMLButtonElement | null;
}) => Widget;
