import { element } from './element.ts';

/** Emphasis within emphasis is drawn to this depth: engines lay out by recursion. */
const deepest = 16;
const space = /\s/;
const punctuation = /[\p{P}\p{S}]/u;

/** A run of `*`, `_` or `~` that may open or close emphasis. A list, since runs are taken out of its middle; the first one is nobody's and stays. */
export interface Run {
  /** What is not used up of it. */
  readonly node: Text;
  readonly mark: string;
  /** As it was written. */
  readonly length: number;
  /** Where it was written. */
  readonly at: number;
  readonly opens: boolean;
  readonly closes: boolean;
  previous: Run | null;
  next: Run | null;
  /** Of the elements between here and the next run. */
  depth: number;
}

/** The run that stands in `text` from `at` on, behind `previous`. */
export function makeRun(node: Text, text: string, at: number, previous: Run | null): Run {
  const { length } = node;
  const before = /.$/su.exec(text.slice(Math.max(0, at - 2), at))?.[0] ?? ' ';
  const behind = /./su.exec(text.slice(at + length, at + length + 2))?.[0] ?? ' ';
  const mark = node.data.slice(0, 1);
  const left = flanks(before, behind);
  const right = flanks(behind, before);
  const inWord = mark === '_' && left && right;
  return {
    node,
    mark,
    length,
    at,
    opens: left && (!inWord || punctuation.test(before)),
    closes: right && (!inWord || punctuation.test(behind)),
    previous,
    next: null,
    depth: 0,
  };
}

/** Whether a run between `outer` and `inner` leans on `inner`. */
function flanks(outer: string, inner: string): boolean {
  return !space.test(inner) && (!punctuation.test(inner) || space.test(outer) || punctuation.test(outer));
}

/** Makes elements of the runs behind `bottom`, whose nodes are siblings, and forgets them. */
export function emphasize(bottom: Run): void {
  /** By kind of closer: no opener for one is before this place. */
  const floors = new Map<string, number>();
  let closer = bottom.next;
  while (closer) {
    const kind: string = closer.mark + closer.opens + (closer.length % 3);
    const floor: number = floors.get(kind) ?? bottom.at;
    let opener = closer.closes ? closer.previous! : bottom;
    while (opener.at > floor && !pairs(opener, closer)) opener = opener.previous!;
    if (opener.at > floor) {
      wrap(opener, closer);
      if (!opener.node.data) drop(opener);
      if (closer.node.data) continue;
      drop(closer);
    } else if (closer.closes) {
      floors.set(kind, closer.previous!.at);
      if (!closer.opens) drop(closer);
    }
    closer = closer.next;
  }
  bottom.next = null;
}

function pairs(opener: Run, closer: Run): boolean {
  if (opener.mark !== closer.mark || !opener.opens) return false;
  if (opener.mark === '~') return opener.length === closer.length;
  const oneIsBoth = opener.closes || closer.opens;
  return !oneIsBoth || (opener.length + closer.length) % 3 > 0 || opener.length % 3 === 0;
}

function wrap(opener: Run, closer: Run): void {
  let depth = 0;
  for (let run = opener; run !== closer; run = run.next!) depth = Math.max(depth, run.depth);
  const draws = depth < deepest;
  const most = Math.min(opener.node.length, closer.node.length);
  const size = draws && opener.mark !== '~' ? Math.min(2, most) : most;
  opener.node.deleteData(0, size);
  closer.node.deleteData(0, size);
  if (draws) {
    const inner = element(opener.mark === '~' ? 'del' : size > 1 ? 'strong' : 'em');
    while (opener.node.nextSibling !== closer.node) inner.append(opener.node.nextSibling!);
    closer.node.before(inner);
    depth++;
  }
  opener.depth = depth;
  opener.next = closer;
  closer.previous = opener;
}

function drop(run: Run): void {
  const previous = run.previous!;
  previous.next = run.next;
  if (run.next) run.next.previous = previous;
  previous.depth = Math.max(previous.depth, run.depth);
}
