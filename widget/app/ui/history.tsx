import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { useShared } from './shared.ts';

/** Earlier conversations, newest first. */
export function History({ state, leave }: { readonly state: ChatState; readonly leave: () => void }): VNode {
  const { chat, words } = useShared();
  const { conversations } = state;
  const page = useRef<HTMLDivElement>(null);
  useEffect(() => {
    page.current!.focus();
    void chat.loadConversations();
  }, []);
  const date = new Intl.DateTimeFormat(words.locale, { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <div class="page" role="region" aria-label={words.history} tabIndex={-1} ref={page}>
      {!conversations?.length && <p class="empty">{conversations ? words.noHistory : words.loading}</p>}
      <ul class="past">
        {conversations?.map(({ id, title, startedAt }) => (
          <li key={id}>
            <button
              type="button"
              aria-current={id === state.conversationId}
              onClick={() => {
                void chat.openConversation(id);
                leave();
              }}
            >
              <b dir="auto">{title}</b>
              <time dateTime={new Date(startedAt).toISOString()}>{date.format(startedAt)}</time>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
