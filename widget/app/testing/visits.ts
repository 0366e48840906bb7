import { afterEach, beforeEach } from 'vitest';
import type { Answer, Chat } from '../chat/chat-state.ts';
import { createChat } from '../chat/chat.ts';
import { openDemoBrowser, type DemoBrowser } from './demo-browser.ts';
import { openDemoStore, type DemoStore } from './demo-store.ts';

interface Visits {
  store: DemoStore;
  browser: DemoBrowser;
  /** A page with the widget, in a tab of its own. */
  readonly visit: (browser?: DemoBrowser) => Chat;
}

/** For each test a store and a browser; what a test opened is closed behind it. */
export function useVisits(): Visits {
  const chats: Chat[] = [];
  const visits: Visits = {
    store: undefined as unknown as DemoStore,
    browser: undefined as unknown as DemoBrowser,
    visit: (browser = visits.browser) => {
      const chat = createChat({ widgetKey: 'wk_1', store: visits.store.origin }, browser.tab());
      chats.push(chat);
      return chat;
    },
  };
  beforeEach(async () => {
    visits.store = await openDemoStore();
    visits.browser = openDemoBrowser();
  });
  afterEach(async () => {
    for (const chat of chats.splice(0)) chat.shutdown();
    await visits.store.close();
  });
  return visits;
}

export const answersOf = ({ messages }: Chat['state']): Answer[] =>
  messages.filter((message): message is Answer => message.role === 'agent');

/** So many answers, and all of them done. */
export const isDone =
  (count = 1) =>
  (state: Chat['state']): boolean => {
    const answers = answersOf(state);
    return answers.length === count && answers.every((answer) => answer.state === 'done');
  };
