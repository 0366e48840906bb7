import type { VNode } from 'preact';
import type { ChatState } from '../chat/chat-state.ts';
import { Icon } from './icon.tsx';
import { troubleText } from './notice-text.ts';
import { useShared } from './shared.ts';

/** Why nothing can be said now, or that the connection was lost. A first connection is told in the head, where it moves nothing. */
export function Notice({ state: { trouble, connection } }: { readonly state: ChatState }): VNode | null {
  const { words } = useShared();
  if (trouble) return <Line icon="alert" look="bad" text={troubleText(trouble, words)} />;
  if (connection === 'offline') return <Line icon="alert" look="" text={words.offline} />;
  if (connection === 'reconnecting') return <Line icon="spin" look="" text={words.reconnecting} />;
  return null;
}

interface LineProps {
  readonly icon: 'alert' | 'spin';
  readonly look: string;
  readonly text: string;
}

const Line = ({ icon, look, text }: LineProps): VNode => (
  <p class={`notice ${look}`} part="notice">
    <Icon name={icon} look={icon} />
    <span>{text}</span>
  </p>
);
