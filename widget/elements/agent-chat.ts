import type { Widget, WidgetOptions } from '../app/widget-api.ts';
import type { App } from '../loader/boot.ts';
import { inline } from './inline.ts';

/** `<agent-chat widget-key="wk_…" store="https://store.example">`: a chat inside the element. Its `widget` is there while it is on a page. */
export interface AgentChatElement extends HTMLElement {
  readonly widget: Widget | null;
  /** A JWT of the customer's server, or what gets one. */
  identity: WidgetOptions['identity'] | null;
  /** Said in place of the widget's own words; others are another chat. */
  words: WidgetOptions['words'] | null;
}

/** Defines the element, once per page; elements that are there already are upgraded. */
export function defineAgentChat(load: () => Promise<App>): void {
  if (customElements.get('agent-chat')) return;
  class AgentChat extends HTMLElement implements AgentChatElement {
    static readonly observedAttributes = ['widget-key', 'store', 'language', 'color-scheme'];
    widget: Widget | null = null;
    #identity: WidgetOptions['identity'] | null = null;
    #words: WidgetOptions['words'] | null = null;
    #pending = false;
    /** On a page, and started: what its attributes said before is no change of them. */
    #placed = false;

    connectedCallback(): void {
      // Set before the element was defined: they hide the accessors.
      for (const name of ['identity', 'words'] as const) {
        if (!Object.hasOwn(this, name)) continue;
        const value = this[name];
        Reflect.deleteProperty(this, name);
        Object.assign(this, { [name]: value });
      }
      this.#start();
      this.#placed = true;
    }

    disconnectedCallback(): void {
      // A move takes an element off the page and puts it back in the same task.
      queueMicrotask(() => {
        if (this.isConnected) return;
        this.#placed = false;
        this.#stop();
      });
    }

    attributeChangedCallback(): void {
      this.#startAnew();
    }

    get identity(): WidgetOptions['identity'] | null {
      return this.#identity;
    }
    set identity(identity) {
      this.#identity = identity ?? null;
      void this.widget?.identify(this.#identity);
    }

    get words(): WidgetOptions['words'] | null {
      return this.#words;
    }
    set words(words) {
      const before = JSON.stringify(this.#words);
      this.#words = words ?? null;
      // Who draws a page again and again gives the same ones anew.
      if (JSON.stringify(this.#words) !== before) this.#startAnew();
    }

    #startAnew(): void {
      if (!this.#placed || this.#pending) return;
      this.#pending = true;
      // Several that change together are one change.
      queueMicrotask(() => {
        this.#pending = false;
        if (!this.isConnected) return;
        this.#stop();
        this.#start();
      });
    }

    #start(): void {
      const widgetKey = this.getAttribute('widget-key');
      if (this.widget || !widgetKey) return;
      const [store, language, colorScheme] = ['store', 'language', 'color-scheme'].map((name) =>
        this.getAttribute(name),
      );
      this.widget = inline(
        this,
        {
          widgetKey,
          ...(store && { store }),
          ...(language && { language }),
          ...(colorScheme && { colorScheme: colorScheme as 'auto' | 'light' | 'dark' }),
          ...(this.#identity && { identity: this.#identity }),
          ...(this.#words && { words: this.#words }),
        },
        load,
      );
    }

    #stop(): void {
      this.widget?.shutdown();
      this.widget = null;
    }
  }
  customElements.define('agent-chat', AgentChat);
}
