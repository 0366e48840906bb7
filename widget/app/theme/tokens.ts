import type { Palette } from '@agentstore/kernel/colour/palette';

/**
 * What a page may set on the widget's element, beside the colours (`--agentstore-` and the name of a colour of `Palette` in kebab case, such as
 * `--agentstore-visitor-bubble`). Names and meanings hold for all of v1. A colour that is set by the page is not checked for contrast.
 */
export interface Tokens {
  /** font-family list. Default: branding's. */
  readonly font: string;
  /** px size of a message. Default: 15px. */
  readonly 'font-size': string;
  /** font-family list of code. */
  readonly 'code-font': string;
  /** Corner of the panel. Default: 16px. */
  readonly radius: string;
  /** Corner of a message and of the input. Default: 18px. */
  readonly 'bubble-radius': string;
  /** Of the floating panel; it is never wider or higher than the window. Default: 400px × 680px. */
  readonly 'panel-width': string;
  readonly 'panel-height': string;
  /** From the edges of the window to launcher and panel. Default: 20px. */
  readonly offset: string;
  /** box-shadow of the floating panel. */
  readonly shadow: string;
  /** Of launcher and panel, where the browser has no top layer. Default: the highest. */
  readonly 'z-index': string;
}

/** What a page may style with `::part(…)`. Names hold for all of v1; what is inside a part may change. */
export type Part =
  | 'launcher'
  | 'badge'
  | 'panel'
  | 'head'
  | 'transcript'
  | 'visitor-message'
  | 'agent-message'
  | 'prompt'
  | 'notice'
  | 'composer'
  | 'send';

/** Values of `Tokens` that do not come from the branding. */
export const defaults: Readonly<Omit<Tokens, 'font'>> = {
  'font-size': '15px',
  'code-font': 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  radius: '16px',
  'bubble-radius': '18px',
  'panel-width': '400px',
  'panel-height': '680px',
  offset: '20px',
  shadow: '0 0 1px rgb(0 0 0 / .24), 0 4px 12px rgb(0 0 0 / .08), 0 16px 48px rgb(0 0 0 / .16)',
  'z-index': '2147483647',
};

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Custom properties of a palette and a font, by their full names. */
export function propertiesOf(palette: Palette, font: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries({ ...defaults, font, ...palette }).map(([name, value]) => [
      `--agentstore-${kebab(name)}`,
      value,
    ]),
  );
}
