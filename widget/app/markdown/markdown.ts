import { type Block, blocksOf } from './blocks.ts';
import type { Lookup } from './inline.ts';
import { patch } from './patch.ts';
import { type CopyLabels, render } from './render.ts';

/** How a text is drawn. */
export interface MarkdownOptions {
  /** What stands for `[n]`; null where nothing does. */
  readonly citation?: (number: number) => Node | null;
  readonly labels: CopyLabels;
}

/** Draws a text that is still being written. */
export interface Markdown {
  /** The whole text so far. With the text of the last call it looks again for citations that were not known then. */
  set(text: string): void;
  /** Nothing follows. */
  end(): void;
}

/** A block that is done, but for labels that nothing defined when it was drawn. */
interface Wanting {
  readonly block: Block;
  readonly node: ChildNode;
  readonly labels: ReadonlySet<string>;
}

/**
 * Draws Markdown (CommonMark, and GFM's tables, strike-through, task lists and bare links) as nodes in `container`, never by way of HTML. What is drawn depends
 * on the text alone, not on the pieces it came in. Blocks that are done keep their nodes, and so do the parts of the last one that did not change.
 */
export function createMarkdown(container: HTMLElement, options: MarkdownOptions): Markdown {
  let text = '';
  /** Where the blocks start that may still change. */
  let done = 0;
  let open: ChildNode[] = [];
  let wanting: Wanting[] = [];
  const references = new Map<string, string>();

  return {
    set(next) {
      if (!next.startsWith(text)) {
        done = 0;
        open = [];
        wanting = [];
        references.clear();
        container.replaceChildren();
      }
      text = next;
      update(false);
    },
    end: () => update(true),
  };

  function update(ended: boolean): void {
    const source = text.slice(done);
    const blocks = blocksOf(source);
    // The last line may yet become something else; until it is whole it ends nothing.
    const whole = source.split('\n').length - 1;
    const finished = ended ? blocks.length : blocks.findLastIndex(({ line }) => line <= whole);
    const before = open;
    open = [];
    for (const [index, block] of blocks.entries()) {
      if (index < finished)
        for (const [key, address] of block.definitions)
          if (!references.has(key)) references.set(key, address);
      if (block.kind === 'paragraph' && !block.text.trim()) continue;
      const drawn = draw(block, before.shift());
      if (index >= finished) open.push(drawn.node);
      else if (drawn.labels.size) wanting.push(drawn);
    }
    for (const node of before) node.remove();
    done += ended ? source.length : (blocks[finished]?.start ?? 0);
    wanting = wanting
      .map((one) => ([...one.labels].some(isKnown) ? draw(one.block, one.node) : one))
      .filter(({ labels }) => labels.size);
  }

  function draw(block: Block, old: ChildNode | undefined): Wanting {
    const labels = new Set<string>();
    const lookup: Lookup = {
      reference(key) {
        const address = references.get(key);
        if (address === undefined) labels.add(key);
        return address;
      },
      citation(number) {
        const node = options.citation?.(number) ?? null;
        if (!node) labels.add(`${number}`);
        return node;
      },
    };
    const next = render(block, lookup, options.labels);
    return { block, labels, node: old ? patch(old, next) : container.appendChild(next) };
  }

  function isKnown(label: string): boolean {
    return references.has(label) || (/^\d+$/.test(label) && !!options.citation?.(Number(label)));
  }
}
