import type { Branding } from '@agentstore/kernel/branding';
import { paletteOf } from '@agentstore/kernel/colour/palette';
import type { WidgetOptions } from '../widget-api.ts';
import { base } from './base.css.ts';
import { composer } from './composer.css.ts';
import { panel } from './panel.css.ts';
import { propertiesOf } from './tokens.ts';
import { prose, transcript } from './transcript.css.ts';

/** Colours and font until the store has told the instance's. */
const plain = {
  primaryColor: '#2f3542',
  accentColor: '#2f6fde',
  fontFamily: 'system-ui',
  colorScheme: 'AUTO',
} as const;
/** After branding's own, so that a font which the page lacks falls back to the system's. */
const systemFonts = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

let sheet: CSSStyleSheet | undefined;
/** One sheet for every widget on the page. */
function sharedSheet(): CSSStyleSheet {
  if (sheet) return sheet;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(base + panel + transcript + prose + composer);
  return sheet;
}

export interface Dress {
  wear(branding: Branding | null): void;
  remove(): void;
}

/**
 * Dresses a shadow root: by constructed style sheets only, which a strict CSP lets pass. The colours are properties of `:host`, so that a page's
 * own rule for the element wins. In the `auto` scheme it follows the visitor's system while it is open.
 */
export function dress(root: ShadowRoot, options: WidgetOptions): Dress {
  const own = new CSSStyleSheet();
  own.replaceSync(`:host{}`);
  const rule = own.cssRules[0] as CSSStyleRule;
  const before = root.adoptedStyleSheets;
  root.adoptedStyleSheets = [...before, sharedSheet(), own];
  if (options.mode === 'inline') rule.style.setProperty('display', 'block');

  const dark = matchMedia('(prefers-color-scheme: dark)');
  let branding: Branding | null = null;
  const draw = (): void => {
    const look = branding ?? plain;
    const wanted = options.colorScheme ?? look.colorScheme.toLowerCase();
    const scheme = wanted === 'auto' ? (dark.matches ? 'dark' : 'light') : (wanted as 'light' | 'dark');
    const properties = propertiesOf(paletteOf(look, scheme).colours, `${look.fontFamily}, ${systemFonts}`);
    for (const [name, value] of properties) rule.style.setProperty(name, value);
    rule.style.setProperty('--_scheme', scheme);
  };
  draw();
  dark.addEventListener('change', draw);

  return {
    wear: (next) => {
      if (next === branding) return;
      branding = next;
      draw();
    },
    remove: () => {
      dark.removeEventListener('change', draw);
      root.adoptedStyleSheets = before;
    },
  };
}
