import type { VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Citation } from '../chat/chat-state.ts';
import { createMarkdown } from '../markdown/markdown.ts';
import { useShared } from './shared.ts';

interface Props {
  readonly text: string;
  readonly ended: boolean;
  readonly citations: readonly Citation[];
  readonly onCitation: (number: number) => void;
}

/** Markdown as it grows. Its nodes are the renderer's: this component has no children, so nothing else touches them. */
export function AnswerText(props: Props): VNode {
  const { words } = useShared();
  const container = useRef<HTMLDivElement>(null);
  const markdown = useRef<ReturnType<typeof createMarkdown>>(null);
  const latest = useRef(props);
  latest.current = props;

  useLayoutEffect(() => {
    container.current!.replaceChildren();
    markdown.current = createMarkdown(container.current!, {
      labels: words,
      citation: (number) => {
        const citation = latest.current.citations.find((one) => one.number === number);
        if (!citation) return null;
        // no <button>: a line breaks after one, even before a full stop
        const chip = document.createElement('span');
        chip.className = 'cite';
        chip.role = 'button';
        chip.tabIndex = -1;
        chip.textContent = String(number);
        chip.setAttribute('aria-label', words.source(number, citation.documentName));
        chip.onclick = () => latest.current.onCitation(number);
        chip.onkeydown = (event) => {
          if (event.key !== 'Enter' && event.key !== ' ') return;
          event.preventDefault();
          latest.current.onCitation(number);
        };
        return chip;
      },
    });
  }, [words]);
  useLayoutEffect(() => {
    markdown.current!.set(props.text);
    if (props.ended) markdown.current!.end();
  }, [props.text, props.ended, props.citations, words]);

  return <div class="prose" dir="auto" ref={container} />;
}
