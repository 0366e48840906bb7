import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Citation } from '../chat/chat-state.ts';
import { Icon } from './icon.tsx';
import { useShared } from './shared.ts';

interface Props {
  readonly citations: readonly Citation[];
  /** False: folded. A number: that passage is open. */
  readonly shown: number | boolean;
  readonly show: (shown: number | boolean) => void;
}

/** What an answer rests on: the documents by number, each with the passage. */
export function Sources({ citations, shown, show }: Props): VNode {
  const { words } = useShared();
  const opened = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    opened.current?.focus();
    opened.current?.closest('li')?.scrollIntoView({ block: 'nearest' });
  }, [shown]);
  return (
    <div class="fold sources">
      <button type="button" aria-expanded={shown !== false} onClick={() => show(shown === false)}>
        <Icon name="turn" look="turn" />
        {words.sources(citations.length)}
      </button>
      {shown !== false && (
        <ul>
          {citations.map(({ number, documentName, page, text }) => (
            <li key={number}>
              <button
                type="button"
                ref={shown === number ? opened : null}
                aria-expanded={shown === number}
                onClick={() => show(shown === number ? true : number)}
              >
                <span>{number}</span>
                <bdi>{documentName}</bdi>
                {page !== null && <span>{words.page(page)}</span>}
              </button>
              {shown === number && (
                <blockquote dir="auto" tabIndex={0}>
                  {text}
                </blockquote>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
