import { copyText } from '../ui/clipboard.ts';
import type { Block } from './blocks.ts';
import { element } from './element.ts';
import { type Citation, inline } from './inline.ts';

/** On the button of a block of code. */
export interface CopyLabels {
  readonly copy: string;
  readonly copied: string;
}

/** A block as nodes. */
export function render(block: Block, citation: Citation, labels: CopyLabels): ChildNode {
  return draw(block);

  function draw({ kind, parts, level = 0, text, loose, rows, aligns, language = '' }: Block): ChildNode {
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
        return element(`h${Math.min(6, level + 2) as 3 | 4 | 5 | 6}`, words(text));
      case 'rule':
        return element('hr');
      case 'code':
        return drawCode(level ? text : `${text.trimEnd()}\n`, language);
      case 'table': {
        const [head, ...body] = rows!.map((row, index) =>
          element(
            'tr',
            ...aligns!.slice(0, row.length).map((align, column) => {
              const cell = element(index ? 'td' : 'th', words(row[column]!));
              cell.style.textAlign = align;
              return cell;
            }),
          ),
        );
        return box('table', element('table', element('thead', head!), element('tbody', ...body)));
      }
      case 'root':
      case 'item':
      case 'paragraph':
        return element('p', words(text));
    }
  }

  function drawItem({ parts }: Block, loose = false): Node {
    const item = element('li');
    for (const [index, part] of parts.entries()) {
      const paragraph = part.kind === 'paragraph';
      const task = paragraph && index === 0 ? /^\[([ x])\](?=\s)/i.exec(part.text) : null;
      if (task) {
        item.className = 'task';
        part.text = (task[1] === ' ' ? '☐' : '☑') + part.text.slice(3);
      }
      item.append(paragraph && !loose ? words(part.text) : draw(part));
    }
    return item;
  }

  function drawCode(source: string, language: string): ChildNode {
    const copy = element('button', labels.copy);
    copy.type = 'button';
    copy.tabIndex = -1; // who shows the text says when what is in it can be reached
    copy.onclick = async () => {
      if (!(await copyText(copy.nextSibling!.textContent!.trimEnd()))) return;
      copy.textContent = labels.copied;
      setTimeout(() => (copy.textContent = labels.copy), 2_000);
    };
    const pre = element('pre', element('code', source));
    const code = box('code', copy, pre);
    if (/^[\w+#.-]{1,30}$/.test(language)) code.setAttribute('data-language', language);
    return code;
  }

  function words(source: string): DocumentFragment {
    return inline(source.trim(), citation);
  }
}

function box(name: string, ...children: Node[]): HTMLElement {
  const node = element('div', ...children);
  node.className = name;
  return node;
}
