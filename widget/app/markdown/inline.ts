import { element } from './element.ts';
import { emphasize, makeRun, type Run } from './emphasis.ts';
import { unescape } from './entities.ts';
import { linkTarget } from './link-target.ts';
import { matchAt, readDestination, title } from './destination.ts';

/** What stands for `[n]`; null where nothing does. */
export type Citation = (number: number) => Node | null;

interface Bracket {
  readonly node: Text;
  readonly image: boolean;
  /** Where what it holds starts. */
  readonly start: number;
  readonly run: Run;
}

/**
 * What may be more than itself, and links without brackets. Each alternative is tried once per place at most: what could start at every character of a
 * word is held by a look-behind.
 */
const interesting =
  /\\|`+|\*+|_+|~+|!?\[|\]|<|&|\n|(?<!\w)(?:https?:\/\/|www\.)[^\s<>[\]"`]+|(?<![\w.+-])[\w.+-]+@[a-z\d-]+(?:\.[a-z\d-]+)+/gi;
const angled = /<([a-z][\w.+-]{1,31}:[^\s<>]*|[^\s<>@:/]+@[a-z\d.-]+)>/iy;

/** Images are read within so many brackets: each copies the text of those inside. Deeper ones are links, which are not in one another. */
const mostOpen = 100;

/** The text of a paragraph, a heading or a cell as nodes. Time grows with the text's length. */
export function inline(text: string, citation: Citation): DocumentFragment {
  const into = document.createDocumentFragment();
  const first = makeRun(new Text(), '', -1, null);
  let last = first;
  const brackets: Bracket[] = [];
  /** So many of them, from the outermost, hold a link already and cannot be one. */
  let spent = 0;
  /** Put in place of their texts at the end, where those are not inside a link. */
  const later = new Map<Text, () => Node>();
  const lastFences = new Map<number, number>();
  let plain = '';
  let at = 0;

  const flush = (): void => {
    into.append(plain);
    plain = '';
  };
  const put = <Made extends Node>(node: Made): Made => {
    flush();
    return into.appendChild(node);
  };
  const putText = (data: string): Text => put(new Text(data));
  const putLink = (words: string): void => {
    const scheme = /^[a-z][\w.+-]+:/i.test(words) ? '' : /^www\b/i.test(words) ? 'https://' : 'mailto:';
    const target = linkTarget(scheme + words);
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
      if (text[at] === '\n') put(element('br'));
      else plain += unescape(token + (text[at++] ?? ''));
    } else if (mark === '\n') {
      const { length } = plain;
      while (plain.endsWith(' ')) plain = plain.slice(0, -1);
      if (length - plain.length > 1) put(element('br'));
      plain += token;
      flush();
    } else if (mark === '`') {
      const end = endOfCode(token.length);
      if (end) {
        const code = text.slice(at, end).replaceAll('\n', ' ');
        const padded = code.startsWith(' ') && code.endsWith(' ') && code.trim();
        put(element('code', padded ? code.slice(1, -1) : code));
        at = end + token.length;
      } else plain += token;
    } else if (mark === '&') {
      const [entity] = matchAt(/&#?\w{1,31};/y, text, start) ?? found;
      plain += unescape(entity);
      at = start + entity.length;
    } else if (mark === '<') {
      const link = matchAt(angled, text, start);
      if (link) {
        putLink(link[1]!);
        at = start + link[0].length;
      } else plain += token;
    } else if (/^(?:[*_]|~~?$)/.test(token)) {
      last = last.next = makeRun(putText(token), text, start, last);
    } else if (token.endsWith('[')) {
      brackets.push({
        node: putText(token),
        image: mark === '!' && brackets.length < mostOpen,
        start: at,
        run: last,
      });
    } else if (mark === ']') {
      if (!closeBracket()) plain += token;
    } else if (mark === '~') {
      plain += token;
    } else {
      const bare = token.slice(0, endOfLink(token));
      at = start + bare.length;
      putLink(bare);
    }
  }
  flush();
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
    let found = matchAt(fence, text, at)!;
    while (found[0].length !== length) found = fence.exec(text)!;
    return found.index;
  }

  /** Makes a link, an image or a citation of the innermost bracket; whether it is one. */
  function closeBracket(): boolean {
    const opener = brackets.pop();
    if (!opener) return false;
    const dead = !opener.image && brackets.length < spent;
    spent = Math.min(spent, brackets.length);
    const words = text.slice(opener.start, at - 1);
    if (!opener.image && text[at] !== '(' && /^\d{1,4}$/.test(words)) {
      const cited = citation(Number(words));
      if (!cited) return false;
      plain = '';
      opener.node.data = `[${words}]`;
      later.set(opener.node, () => cited);
      return true;
    }
    const address = dead ? null : addressOf();
    if (address === null) return false;
    const target = linkTarget(address);
    flush();
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

  /** What the parentheses after the bracket lead to; null where there are none. */
  function addressOf(): string | null {
    const blank = /\s*/y;
    if (text[at] !== '(') return null;
    matchAt(blank, text, at + 1);
    const destination = readDestination(text, blank.lastIndex);
    if (!destination) return null;
    matchAt(blank, text, matchAt(title, text, destination.end) ? title.lastIndex : destination.end);
    if (text[blank.lastIndex] !== ')') return null;
    at = blank.lastIndex + 1;
    return destination.address;
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
  const link = element('a', words);
  link.href = target;
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow ugc';
  link.tabIndex = -1;
  return link;
}
