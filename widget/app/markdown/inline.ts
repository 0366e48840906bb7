import { addRun, emphasize, firstRun, type Run } from './emphasis.ts';
import { unescape } from './entities.ts';
import { linkTarget } from './link-target.ts';
import { label, labelKey, matchAt, readDestination, title } from './references.ts';

/** What the brackets of a text are looked up in. */
export interface Lookup {
  /** Address of a reference, by its key. */
  reference(key: string): string | undefined;
  citation(number: number): Node | null;
}

interface Bracket {
  readonly node: Text;
  readonly image: boolean;
  /** Where what it holds starts. */
  readonly start: number;
  readonly run: Run;
  /** Another one opened in it: what it holds is no label. */
  nested: boolean;
}

/**
 * What may be more than itself, and links without brackets. Each alternative is tried once per place at most: what could start at every character of a
 * word is held by a look-behind.
 */
const interesting =
  /\\|`+|\*+|_+|~+|!?\[|\]|<|&|\n|(?<!\w)(?:https?:\/\/|www\.)[^\s<>[\]"`]+|(?<![\w.+-])[\w.+-]+@[a-z\d-]+(?:\.[a-z\d-]+)+/gi;
const angled = /<(?:([a-z][\w.+-]{1,31}:[^\s<>]*)|([\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d.-]+))>/iy;

/** The text of a paragraph, a heading or a cell as nodes. Time grows with the text's length. */
export function inline(text: string, lookup: Lookup): DocumentFragment {
  const into = document.createDocumentFragment();
  const first = firstRun();
  let last = first;
  const brackets: Bracket[] = [];
  /** So many of them, from the outermost, hold a link already and cannot be one. */
  let spent = 0;
  /** Put in place of their texts at the end, where those are not inside a link. */
  const later = new Map<Text, () => Node>();
  const lastFences = new Map<number, number>();
  let plain = '';
  let at = 0;

  const put = <T extends Node>(node: T): T => {
    if (plain) into.append(plain);
    plain = '';
    return into.appendChild(node);
  };
  const putText = (data: string): Text => put(document.createTextNode(data));
  const putLink = (words: string, address: string): void => {
    const target = linkTarget(address);
    if (target) later.set(putText(words), () => anchor(target, words));
    else plain += words;
  };

  while (at < text.length) {
    const found = matchAt(interesting, text, at);
    plain += text.slice(at, found?.index);
    if (!found) break;
    const [token] = found;
    const start = found.index;
    const mark = token[0]!;
    at = start + token.length;
    if (mark === '\\') {
      const next = text[at++] ?? '';
      if (next === '\n') put(document.createElement('br'));
      else plain += unescape(token + next);
    } else if (mark === '\n') {
      const { length } = plain;
      while (plain.endsWith(' ')) plain = plain.slice(0, -1);
      if (length - plain.length > 1) put(document.createElement('br'));
      else plain += token;
    } else if (mark === '`') {
      const end = endOfCode(token.length);
      if (end) {
        const code = text.slice(at, end).replaceAll('\n', ' ');
        const padded = code.startsWith(' ') && code.endsWith(' ') && code.trim();
        put(document.createElement('code')).append(padded ? code.slice(1, -1) : code);
        at = end + token.length;
      } else plain += token;
    } else if (mark === '&') {
      const [entity] = matchAt(/&#?\w{1,31};/y, text, start) ?? found;
      plain += unescape(entity);
      at = start + entity.length;
    } else if (mark === '<') {
      const link = matchAt(angled, text, start);
      if (link) {
        putLink((link[1] ?? link[2])!, link[1] ?? `mailto:${link[2]}`);
        at = start + link[0].length;
      } else plain += token;
    } else if (/^(?:[*_]|~~?$)/.test(token)) {
      last = addRun(last, putText(token), text, start);
    } else if (token.endsWith('[')) {
      const outer = brackets.at(-1);
      if (outer) outer.nested = true;
      brackets.push({ node: putText(token), image: mark === '!', start: at, run: last, nested: false });
    } else if (mark === ']') {
      if (!closeBracket()) plain += token;
    } else if (mark === '~') {
      plain += token;
    } else {
      const bare = token.slice(0, endOfLink(token));
      at = start + bare.length;
      putLink(bare, (/^http/i.test(token) ? '' : /^www/i.test(token) ? 'https://' : 'mailto:') + bare);
    }
  }
  put(document.createTextNode(''));
  emphasize(first);
  for (const [node, make] of later) if (!node.parentElement?.closest('a')) node.replaceWith(make());
  into.normalize();
  return into;

  /** Where the next fence of this length is; 0 where there is none, which is known without looking each time. */
  function endOfCode(length: number): number {
    const fence = /`+/g;
    if (!lastFences.size)
      for (const { 0: run, index } of text.matchAll(fence)) lastFences.set(run.length, index);
    if (!(lastFences.get(length)! >= at)) return 0;
    fence.lastIndex = at;
    for (;;) {
      const found = fence.exec(text);
      if (!found || found[0].length === length) return found?.index ?? 0;
    }
  }

  /** Makes a link, an image or a citation of the innermost bracket; whether it is one. */
  function closeBracket(): boolean {
    const opener = brackets.pop();
    if (!opener) return false;
    const dead = !opener.image && brackets.length < spent;
    spent = Math.min(spent, brackets.length);
    const words = text.slice(opener.start, at - 1);
    const number = opener.image || text[at] === '(' || !/^\d{1,4}$/.test(words) ? 0 : Number(words);
    const cited = number ? lookup.citation(number) : null;
    if (cited) {
      plain = '';
      opener.node.data = `[${words}]`;
      later.set(opener.node, () => cited);
      return true;
    }
    const address = dead ? undefined : addressOf(opener, words);
    if (address === undefined) return false;
    const target = linkTarget(address);
    put(document.createTextNode(''));
    last = opener.run;
    emphasize(last);
    const link = target && !opener.image ? anchor(target, '') : document.createDocumentFragment();
    while (opener.node.nextSibling) link.append(opener.node.nextSibling);
    if (opener.image) {
      // Loading it would tell a stranger what the agent wrote into its address.
      const alternative = link.textContent || target || '';
      opener.node.data = alternative;
      if (target) later.set(opener.node, () => anchor(target, alternative));
    } else {
      opener.node.replaceWith(link);
      spent = brackets.length;
    }
    return true;
  }

  /** Reads on after the closing bracket. */
  function addressOf(opener: Bracket, words: string): string | undefined {
    if (text[at] === '(') {
      const blank = /\s*/y;
      matchAt(blank, text, at + 1);
      const destination = readDestination(text, blank.lastIndex);
      if (destination) {
        matchAt(blank, text, matchAt(title, text, destination.end) ? title.lastIndex : destination.end);
        if (text[blank.lastIndex] === ')') {
          at = blank.lastIndex + 1;
          return destination.address;
        }
      }
    }
    const explicit = matchAt(label, text, at);
    const collapsed = text.startsWith('[]', at);
    const key = explicit || !opener.nested ? labelKey(explicit ? explicit[1]! : words) : null;
    const address = key ? lookup.reference(key) : undefined;
    if (address !== undefined) at += explicit?.[0].length ?? (collapsed ? 2 : 0);
    return address;
  }
}

/** Punctuation at its end belongs to the sentence, and so does a parenthesis that nothing in it opened. */
function endOfLink(link: string): number {
  let surplus = link.split(')').length - link.split('(').length;
  let end = link.length;
  for (; end; end--) {
    if (link[end - 1] === ')' && surplus > 0) surplus--;
    else if (!"?!.,:;*_~'".includes(link[end - 1]!)) break;
  }
  return end;
}

function anchor(target: string, words: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = target;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow ugc';
  link.append(words);
  return link;
}
