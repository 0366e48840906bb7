import { unescape } from './entities.ts';

/** A title with the blank before it. It is read over: it would say nothing to who cannot hover. */
export const title = /\s+(?:(["'])(?:(?!\1)[^\\]|\\[^])*\1|\((?:[^()\\]|\\[^])*\))/y;

/** The destination of a link that starts at a place: what it says and where it ends. */
export function readDestination(
  text: string,
  start: number,
): { readonly address: string; readonly end: number } | null {
  const angled = matchAt(/<((?:[^<>\n\\]|\\.)*)>/y, text, start);
  if (angled) return { address: unescape(angled[1]!), end: start + angled[0].length };
  if (text[start] === '<') return null;
  let open = 0;
  let end = start;
  for (; end < text.length && text[end]! > ' '; end++) {
    const mark = text[end];
    if (mark === '\\' && text[end + 1]! > ' ') end++;
    // Deeper ones are refused, as by the reference implementation: `[a](` many times over would be read to its end each time.
    else if (mark === '(' && ++open > 32) return null;
    else if (mark === ')' && --open < 0) break;
  }
  return open > 0 ? null : { address: unescape(text.slice(start, end)), end };
}

/** What a pattern finds at a place (a sticky one) or from it on. */
export function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
