import type { Widget, WidgetOptions } from '../app/widget-api.ts';
import type { App } from '../loader/boot.ts';
import { floating } from '../loader/floating.ts';
import { defineAgentChat } from './agent-chat.ts';
import { inline } from './inline.ts';

export type { Widget, WidgetEvents, WidgetOptions } from '../app/widget-api.ts';
export type { AgentChatElement } from './agent-chat.ts';

const load = (): Promise<App> => import('../app/main.tsx');

/** What a page that has the package says. */
export interface PackageOptions extends WidgetOptions {
  /** Origin of the store: the package does not know where it came from. */
  readonly store: string;
  /** Puts the chat inside it instead of over the page. */
  readonly element?: HTMLElement;
}

/** Puts a widget over the page, or inside an element of it. */
export function createWidget({ element, ...options }: PackageOptions): Widget {
  return element ? inline(element, options, load) : floating(options, load);
}

// On a server there is nothing to define it in.
if (typeof customElements !== 'undefined') defineAgentChat(load);
