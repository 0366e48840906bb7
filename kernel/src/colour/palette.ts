import { contrast } from './contrast.ts';
import { fromOklch, parseHex, toHex, toOklch } from './oklch.ts';

export type Scheme = 'light' | 'dark';

/** All colours that a widget draws, `#rrggbb`. */
export interface Palette {
  readonly surface: string;
  readonly text: string;
  readonly mutedText: string;
  /** Of fields and buttons. */
  readonly border: string;
  /** Between parts; nothing depends on seeing it. */
  readonly line: string;
  readonly agentBubble: string;
  readonly agentText: string;
  readonly visitorBubble: string;
  readonly visitorText: string;
  readonly launcher: string;
  readonly launcherText: string;
  readonly link: string;
  readonly focusRing: string;
  readonly error: string;
}

/** A brand colour that could not be drawn as it is. */
export interface Repair {
  readonly what: keyof Palette;
  readonly asked: string;
  readonly used: string;
  /** Of `used` against what it is drawn on, where it is least. */
  readonly ratio: number;
}

const neutral = {
  light: {
    surface: '#ffffff',
    text: '#1b1d22',
    mutedText: '#5a5f69',
    border: '#81868f',
    line: '#e3e5e9',
    agentBubble: '#f2f3f5',
    agentText: '#1b1d22',
    error: '#b3261e',
  },
  dark: {
    surface: '#17191d',
    text: '#eceef1',
    mutedText: '#a5abb5',
    border: '#757b86',
    line: '#2f323a',
    agentBubble: '#25282e',
    agentText: '#eceef1',
    error: '#ff8a80',
  },
};

/** Ratios of WCAG 2.2 AA: of text (1.4.3), and of what is seen without being read (1.4.11). */
const forText = 4.5;
const forParts = 3;

/**
 * The colours of a brand, readable: where one lacks contrast its lightness is moved, as little as it takes, and its hue kept. Black or white on it is
 * always readable. Throws RangeError for a colour that is not `#rgb` or `#rrggbb`.
 */
export function paletteOf(
  { primaryColor, accentColor }: { readonly primaryColor: string; readonly accentColor: string },
  scheme: Scheme,
): { readonly colours: Palette; readonly repairs: readonly Repair[] } {
  const repairs: Repair[] = [];
  const base = neutral[scheme];
  const grounds = [base.surface, base.agentBubble];
  const ratioOf = (hex: string): number => Math.min(...grounds.map((ground) => contrast(hex, ground)));
  const readable = (what: Repair['what'], brandColour: string, least: number): string => {
    const colour = parseHex(brandColour);
    const asked = toHex(colour);
    if (ratioOf(asked) >= least) return asked;
    const [lightness, chroma, hue] = toOklch(colour);
    let good = scheme === 'light' ? 0 : 1;
    let bad = lightness;
    let used = good ? '#ffffff' : '#000000';
    for (let step = 0; step < 12; step++) {
      const middle = (good + bad) / 2;
      const hex = toHex(fromOklch([middle, chroma, hue]));
      if (ratioOf(hex) >= least) [good, used] = [middle, hex];
      else bad = middle;
    }
    repairs.push({ what, asked, used, ratio: Math.floor(ratioOf(used) * 100) / 100 });
    return used;
  };
  const launcher = readable('launcher', primaryColor, forParts);
  const visitorBubble = readable('visitorBubble', primaryColor, forParts);
  const on = (hex: string): string => (contrast('#ffffff', hex) >= forText ? '#ffffff' : '#000000');
  return {
    colours: {
      ...base,
      launcher,
      launcherText: on(launcher),
      visitorBubble,
      visitorText: on(visitorBubble),
      link: readable('link', accentColor, forText),
      focusRing: readable('focusRing', accentColor, forParts),
    },
    repairs,
  };
}
