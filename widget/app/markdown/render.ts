import type { Block } from './blocks.ts';
import { inline, type Lookup } from './inline.ts';

/** On the button of a block of code. */
export interface CopyLabels {
  readonly copy: string;
  readonly copied: string;
}

/** A block as nodes. */
export function render(block: Block, lookup: Lookup, labels: CopyLabels): ChildNode {
  return draw(block);

  function draw({ kind, parts, level, text, loose, rows, aligns, language }: Block): ChildNode {
    switch (kind) {
      case 'quote':
        return element('blockquote', ...parts.map(draw));
      case 'list': {
        const list = element(level < 0 ? 'ul' : 'ol', ...parts.map((item) => drawItem(item, loose)));
        if (level >= 0 && level !== 1) list.setAttribute('start', `${level}`);
        return list;
      }
      case 'heading':
        // Below the headings of the page and of the panel.
        return element(`h${Math.min(6, level + 2)}`, words(text));
      case 'rule':
        return element('hr');
      case 'code':
        return drawCode(level ? text : `${text.trimEnd()}\n`, language);
      case 'table': {
        const [head, ...body] = rows.map((row, index) =>
          element(
            'tr',
            ...aligns.slice(0, row.length).map((align, column) => {
              const cell = element(index ? 'td' : 'th', words(row[column]!));
              cell.style.textAlign = align;
              return cell;
            }),
          ),
        );
        return box('table', element('table', element('thead', head!), element('tbody', ...body)));
      }
      default:
        return element('p', words(text));
    }
  }

  function drawItem({ parts }: Block, loose: boolean): Node {
    const item = element('li');
    for (const [index, part] of parts.entries()) {
      const paragraph = part.kind === 'paragraph';
      const task = index === 0 && paragraph ? /^\[([ x])\]\s/i.exec(part.text) : null;
      const shown = task ? { ...part, text: part.text.slice(4) } : part;
      const node = paragraph && !loose ? words(shown.text) : draw(shown);
      if (task) {
        item.className = 'task';
        (paragraph && loose ? (node as Element) : (node as DocumentFragment)).prepend(
          task[1] === ' ' ? '☐ ' : '☑ ',
        );
      }
      item.append(node);
    }
    return item;
  }

  function drawCode(source: string, language: string): ChildNode {
    const copy = element('button', labels.copy) as HTMLButtonElement;
    copy.type = 'button';
    copy.onclick = async () => {
      await navigator.clipboard.writeText(copy.nextSibling!.textContent!.trimEnd());
      copy.textContent = labels.copied;
      setTimeout(() => (copy.textContent = labels.copy), 2_000);
    };
    const pre = element('pre', element('code', source));
    pre.tabIndex = 0;
    const code = box('code', copy, pre);
    if (/^[\w+#.-]{1,30}$/.test(language)) code.setAttribute('data-language', language);
    return code;
  }

  function words(source: string): DocumentFragment {
    return inline(source.trim(), lookup);
  }
}

function element(name: string, ...children: (Node | string)[]): HTMLElement {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

function box(name: string, ...children: Node[]): HTMLElement {
  const node = element('div', ...children);
  node.className = name;
  return node;
}
