import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Answer } from '../chat/chat-state.ts';
import { copyText } from './clipboard.ts';
import { Icon } from './icon.tsx';
import { useShared } from './shared.ts';

/** The longest reason, in characters. */
const reasonCharacters = 1_000;
const copiedMilliseconds = 2_000;

/** Under an answer: copy it, and say whether it was good; of a bad one, why. */
export function Feedback({ answer }: { readonly answer: Answer }): VNode {
  const { chat, words, say } = useShared();
  const [copied, setCopied] = useState(false);
  const [asking, setAsking] = useState(false);
  const reason = useRef<HTMLInputElement>(null);
  const rated = answer.rating?.rating;

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), copiedMilliseconds);
    return () => clearTimeout(timer);
  }, [copied]);
  useEffect(() => {
    if (asking) reason.current?.focus();
  }, [asking]);

  const copy = async (): Promise<void> => {
    if (!(await copyText(answer.text))) return;
    setCopied(true);
    say(words.copied);
  };
  const rate = (rating: 'UP' | 'DOWN', why?: string): void => {
    void chat.rate(answer.runId, rating, why);
    setAsking(rating === 'DOWN' && why === undefined);
    say(words.thanks);
  };
  const send = (event: Event): void => {
    event.preventDefault();
    const article = reason.current!.closest('article');
    rate('DOWN', reason.current!.value.trim());
    article?.focus();
  };
  return (
    <>
      <div class="actions">
        <button
          type="button"
          class="small icon-button"
          aria-label={words.copy}
          title={words.copy}
          onClick={copy}
        >
          <Icon name={copied ? 'check' : 'copy'} />
        </button>
        {(['UP', 'DOWN'] as const).map((rating) => (
          <button
            type="button"
            class="small icon-button"
            aria-label={rating === 'UP' ? words.good : words.bad}
            title={rating === 'UP' ? words.good : words.bad}
            aria-pressed={rated === rating}
            onClick={() => rate(rating)}
          >
            <Icon name={rating === 'UP' ? 'up' : 'thumbDown'} />
          </button>
        ))}
        {rated && !asking && <span>{words.thanks}</span>}
      </div>
      {asking && (
        <form class="reason" onSubmit={send}>
          <input
            ref={reason}
            maxLength={reasonCharacters}
            placeholder={words.whyBad}
            aria-label={words.whyBad}
          />
          <button type="submit">{words.sendReason}</button>
        </form>
      )}
    </>
  );
}
