import { hostile } from './hostile.ts';
import { drawn, html, offences } from './drawn.ts';

/** What came of `tryHostile`. */
export interface Trial {
  readonly texts: number;
  readonly pressed: number;
  /** What must not be: each names its text. */
  readonly faults: readonly string[];
}

/**
 * Draws every hostile text in a real page: whole, character by character, and in pieces of random sizes (`cuts` says where, 0 to 1); all are kept there, so that what
 * loads late shows. Then presses all that can be pressed. Links that lead where they may are not followed, any other would be.
 */
export async function tryHostile(cuts: readonly number[]): Promise<Trial> {
  const faults: string[] = [];
  let pressed = 0;
  const host = document.body.appendChild(document.createElement('div'));
  const root = host.attachShadow({ mode: 'open' });
  root.addEventListener('click', (event) => {
    pressed++;
    const link = (event.target as Element).closest('a');
    if (link && /^(https?|mailto|tel):$/.test(link.protocol)) event.preventDefault();
    else if (link) faults.push(`leads to ${link.href}`);
  });
  let at = 0;
  const next = (): number => cuts[at++ % cuts.length]!;
  const inPieces = (text: string): string[] => {
    const places = [
      0,
      ...Array.from({ length: 4 }, () => Math.floor(next() * (text.length + 1))),
      text.length,
    ];
    places.sort((one, other) => one - other);
    return places.slice(1).map((end, index) => text.slice(places[index], end));
  };

  for (const text of hostile) {
    const whole = drawn(text);
    const ways = [whole, drawn(...text.split('')), drawn(...inPieces(text)), drawn(...inPieces(text))];
    root.append(...ways);
    for (const way of ways) {
      for (const offence of offences(way)) faults.push(`${JSON.stringify(text)} has ${offence}`);
      if (html(way) !== html(whole)) faults.push(`${JSON.stringify(text)} is another in pieces`);
    }
    for (const element of whole.querySelectorAll<HTMLElement>('a, button, [tabindex]')) element.click();
    await new Promise((resolve) => setTimeout(resolve));
  }
  return { texts: hostile.length, pressed, faults };
}
