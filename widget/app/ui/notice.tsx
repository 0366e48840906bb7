import type { VNode } from 'preact';
import type { ChatState } from '../chat/chat-state.ts';
import { Icon } from './icon.tsx';
import { troubleText } from './notice-text.ts';
import { useShared } from './shared.ts';

/** Why nothing can be said now, or how the connection is. A quick first connection is not worth a word. */
export function Notice({ state }: { readonly state: ChatState }): VNode | null {
  const { words } = useShared();
  const { trouble, connection } = state;
  if (!trouble && (connection === 'open' || connection === 'idle')) return null;
  return (
    <p class={trouble ? 'notice bad' : 'notice'} part="notice">
      <Icon
        name={trouble || connection === 'offline' ? 'alert' : 'spin'}
        look={trouble || connection === 'offline' ? '' : 'spin'}
      />
      <span>
        {trouble
          ? troubleText(trouble, words)
          : words[connection as 'connecting' | 'reconnecting' | 'offline']}
      </span>
    </p>
  );
}
