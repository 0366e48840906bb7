// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createAnnouncer } from './announcer.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** What stands in the node at the end of each tenth of a second, without repetitions, and when it came. */
function listen(node: HTMLElement, milliseconds: number): (readonly [at: number, text: string])[] {
  const heard: (readonly [number, string])[] = [];
  for (let at = 0; at <= milliseconds; at += 100) {
    if (heard.at(-1)?.[1] !== node.textContent) heard.push([at, node.textContent]);
    vi.advanceTimersByTime(100);
  }
  return heard;
}

it('says one thing a second at most, in order, and clears the last after two', () => {
  const { node, say } = createAnnouncer();
  for (const text of ['one', 'two', 'three']) say(text);
  expect(listen(node, 6_000)).toEqual([
    [0, 'one'],
    [1_000, 'two'],
    [2_000, 'three'],
    [4_000, ''],
  ]);
});

it('does not say any more what was overtaken, and says the whole answer once', () => {
  const { node, say } = createAnnouncer();
  say('offline', 'connection');
  say('being written', 'answer');
  say('connected', 'connection');
  say('the answer', 'answer');
  expect(listen(node, 6_000).map(([, text]) => text)).toEqual(['offline', 'connected', 'the answer', '']);
});

it('keeps to the second after a silence, too', () => {
  const { node, say } = createAnnouncer();
  say('one');
  vi.advanceTimersByTime(1_500);
  say('two');
  say('three');
  expect(listen(node, 1_500)).toEqual([
    [0, 'two'],
    [1_000, 'three'],
  ]);
});

it('is a polite live region that is not seen', () => {
  const { node } = createAnnouncer();
  expect(node.getAttribute('aria-live')).toBe('polite');
  expect(node.className).toBe('sr');
});
