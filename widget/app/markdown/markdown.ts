import { blocksOf } from './blocks.ts';
import type { Citation } from './inline.ts';
import { patch } from './patch.ts';
import { type CopyLabels, render } from './render.ts';

/** How a text is drawn. */
export interface MarkdownOptions {
  readonly citation?: Citation;
  readonly labels: CopyLabels;
}

/** Draws a text that is still being written. */
export interface Markdown {
  /** The whole text so far. */
  set(text: string): void;
  /** Nothing follows. */
  end(): void;
}

/**
 * Draws Markdown as nodes in `container`, never by way of HTML: CommonMark, and GFM's tables, strike-through, task lists and bare links. What is drawn depends on
 * the text alone, not on the pieces it came in. Blocks that are done keep their nodes, and so do the parts of the last one that did not change: hence no
 * reference links, whose definitions would change what was read already.
 */
export function createMarkdown(container: HTMLElement, options: MarkdownOptions): Markdown {
  const { citation = () => null, labels } = options;
  let text = '';
  /** Where the blocks start that may still change. */
  let done = 0;
  let open: ChildNode[] = [];

  return {
    set(next) {
      text = next;
      update(false);
    },
    end: () => update(true),
  };

  function update(ended: boolean): void {
    const source = text.slice(done);
    const blocks = blocksOf(source);
    const nodes = blocks.map((block, index) => {
      const node = render(block, citation, labels);
      return open[index] ? patch(open[index], node) : container.appendChild(node);
    });
    for (const node of open.slice(nodes.length)) node.remove();
    // The last line may yet become something else; until it is whole it ends nothing.
    const whole = source.split('\n').length - 1;
    const first = ended
      ? blocks.length
      : Math.max(
          0,
          blocks.findLastIndex(({ line }) => line <= whole),
        );
    done += ended ? source.length : (blocks[first]?.start ?? 0);
    open = nodes.slice(first);
  }
}
