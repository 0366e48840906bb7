import type { VNode } from 'preact';
import type { ChatState } from '../chat/chat-state.ts';
import { Avatar } from './avatar.tsx';
import { Icon } from './icon.tsx';
import { Menu, type MenuItem } from './menu.tsx';
import { useShared } from './shared.ts';

interface Props {
  readonly state: ChatState;
  readonly inHistory: boolean;
  readonly showHistory: () => void;
  readonly showChat: () => void;
  /** None where the panel is a part of the page. */
  readonly close: (() => void) | null;
}

/** Who the visitor talks to, and what else can be done. */
export function Head({ state, inHistory, showHistory, showChat, close }: Props): VNode {
  const { chat, words, branding, name } = useShared();
  // a chunk of its own: few visitors take their transcript with them
  const download = (kind: 'markdown' | 'json'): void =>
    void import('../export/download.ts').then(({ downloadTranscript }) =>
      downloadTranscript(kind, state.messages, { words, name }),
    );
  const items: readonly MenuItem[] = [
    {
      icon: 'plus',
      label: words.newConversation,
      run: () => {
        chat.newConversation();
        showChat();
      },
    },
    { icon: 'clock', label: words.history, run: showHistory },
    ...(state.messages.length
      ? ([
          { icon: 'save', label: words.downloadMarkdown, run: () => download('markdown') },
          { icon: 'save', label: words.downloadJson, run: () => download('json') },
        ] as const)
      : []),
  ];
  return (
    <header class="head" part="head">
      {inHistory ? (
        <button
          type="button"
          class="icon-button"
          aria-label={words.back}
          title={words.back}
          onClick={showChat}
        >
          <Icon name="back" look="mirror" />
        </button>
      ) : (
        <Avatar url={branding?.logoUrl ?? branding?.avatarUrl ?? null} name={name} />
      )}
      <div>
        <h2 id="name">{inHistory ? words.history : <bdi>{name}</bdi>}</h2>
        <p>
          {inHistory ? (
            <bdi>{name}</bdi>
          ) : state.connection === 'connecting' ? (
            words.connecting
          ) : (
            words.aiAgent
          )}
        </p>
      </div>
      <nav>
        <Menu items={items} />
        {close && (
          <button
            type="button"
            class="icon-button"
            aria-label={words.close}
            title={words.close}
            onClick={close}
          >
            <Icon name="close" />
          </button>
        )}
      </nav>
    </header>
  );
}
