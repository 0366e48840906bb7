import type { Surroundings } from './surroundings.ts';
import type { UnreadNews } from './unread.ts';

/** What a tab says to the others of the same widget key. The handle is not in it: they share it by storage, under a lock. */
export type TabNews =
  | {
      readonly kind: 'run';
      readonly conversationId: string;
      readonly runId: string;
      readonly key: string;
      readonly text: string;
    }
  | ({ readonly kind: 'unread' } & UnreadNews)
  /** The visitor was forgotten. */
  | { readonly kind: 'reset' };

export interface Tabs {
  post(news: TabNews): void;
  close(): void;
}

export function joinTabs(
  { channel }: Pick<Surroundings, 'channel'>,
  widgetKey: string,
  hear: (news: TabNews) => void,
): Tabs {
  const open = channel(`agentstore:${widgetKey}`);
  if (open) open.onmessage = ({ data }) => hear(data as TabNews);
  return { post: (news) => open?.postMessage(news), close: () => open?.close() };
}
