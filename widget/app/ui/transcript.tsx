import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatState } from '../chat/chat-state.ts';
import { isUnderWay } from './changes.ts';
import { Icon } from './icon.tsx';
import { useMessageViews } from './load-messages.ts';
import { isCutOff, isShut } from './notice-text.ts';
import { roam } from './roam.ts';
import { useShared } from './shared.ts';
import { Welcome } from './welcome.tsx';

/** This near to the end, in px, the visitor reads along and the transcript follows. */
const nearEnd = 48;

/** All messages of the conversation. Follows a growing answer while its end is in sight, and stays where it is read otherwise. */
export function Transcript({
  state,
  leave,
}: {
  readonly state: ChatState;
  readonly leave: () => void;
}): VNode {
  const { chat, words } = useShared();
  const { messages, hasOlder } = state;
  const views = useMessageViews(messages.length > 0);
  const scroller = useRef<HTMLDivElement>(null);
  const log = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const before = useRef({ first: '', last: '', height: 0 });

  useEffect(() => roam(log.current!, leave), []);
  useLayoutEffect(() => {
    const element = scroller.current!;
    // To ask for a height lays the whole page out, at a moment when it opens for the first time.
    if (!messages.length) return void (before.current = { first: '', last: '', height: 0 });
    const first = messages[0]?.key ?? '';
    const last = messages.at(-1);
    const was = before.current;
    const asked = last?.role === 'visitor' && last.key !== was.last;
    const begun = last?.role === 'agent' && last.key !== was.last && isUnderWay(last);
    const olderCame = was.first !== '' && first !== was.first && last?.key === was.last;
    if (olderCame) element.scrollTop += element.scrollHeight - was.height;
    else if (following || asked || begun) element.scrollTop = element.scrollHeight;
    before.current = { first, last: last?.key ?? '', height: element.scrollHeight };
  });
  const onScroll = ({ currentTarget: element }: { readonly currentTarget: HTMLElement }): void =>
    setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd);
  const toEnd = (): void => {
    scroller.current!.scrollTop = scroller.current!.scrollHeight;
    leave();
  };

  const last = messages.at(-1);
  return (
    <div class="view">
      <div class="scroller" part="transcript" ref={scroller} onScroll={onScroll}>
        {hasOlder && (
          <div class="older">
            <button type="button" class="link" onClick={() => void chat.loadOlder()}>
              {words.olderMessages}
            </button>
          </div>
        )}
        {messages.length === 0 && <Welcome shut={isShut(state)} />}
        <span class="sr" id="transcript-help">
          {words.transcriptHelp}
        </span>
        <div
          class="log"
          role="log"
          aria-live="off"
          aria-label={words.transcript}
          aria-describedby="transcript-help"
          aria-busy={last?.role === 'agent' && isUnderWay(last)}
          ref={log}
        >
          {views &&
            messages.map((message) =>
              message.role === 'visitor' ? (
                <views.QuestionView key={`q${message.key}`} question={message} cutOff={isCutOff(state)} />
              ) : (
                <views.AnswerView key={`a${message.key}`} answer={message} />
              ),
            )}
        </div>
      </div>
      {!following && (
        <button type="button" class="latest" onClick={toEnd}>
          <Icon name="down" />
          {words.latestMessages}
        </button>
      )}
    </div>
  );
}
