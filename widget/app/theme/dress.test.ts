// @vitest-environment happy-dom
import { paletteOf } from '@agentstore/kernel/colour/palette';
import { afterEach, expect, it, vi } from 'vitest';
import { branding } from '../ui/testing/fake-chat.ts';
import type { WidgetOptions } from '../widget-api.ts';
import { base } from './base.css.ts';
import { composer } from './composer.css.ts';
import { dress, type Dress } from './dress.ts';
import { panel } from './panel.css.ts';
import { propertiesOf } from './tokens.ts';
import { prose, transcript } from './transcript.css.ts';

afterEach(() => vi.unstubAllGlobals());

function wear(options: Partial<WidgetOptions> = {}) {
  const root = document.createElement('div').attachShadow({ mode: 'open' });
  const look: Dress = dress(root, { widgetKey: 'wk_1', ...options });
  look.wear(branding);
  const rule = root.adoptedStyleSheets.at(-1)!.cssRules[0] as CSSStyleRule;
  return {
    root,
    look,
    colour: (name: string) => rule.style.getPropertyValue(`--agentstore-${name}`),
    scheme: () => rule.style.getPropertyValue('--_scheme'),
  };
}
const colours = (scheme: 'light' | 'dark') => paletteOf(branding, scheme).colours;

it('follows the system, live', () => {
  const dark = Object.assign(new EventTarget(), { matches: false });
  vi.stubGlobal('matchMedia', () => dark);
  const { colour, scheme } = wear();
  expect(colour('surface')).toBe(colours('light').surface);
  dark.matches = true;
  dark.dispatchEvent(new Event('change'));
  expect(colour('surface')).toBe(colours('dark').surface);
  expect(scheme()).toBe('dark');
});

it.each([
  [{}, 'light'],
  [{ colorScheme: 'dark' }, 'dark'],
] as const)('takes the word of the branding, and before it that of the page: %j', (options, scheme) => {
  const { look, colour } = wear(options);
  look.wear({ ...branding, colorScheme: 'LIGHT' });
  expect(colour('agent-bubble')).toBe(colours(scheme).agentBubble);
});

it('draws a brand colour that changed', () => {
  const { look, colour } = wear();
  look.wear({ ...branding, primaryColor: '#aa0000', fontFamily: 'Inter' });
  expect(colour('visitor-bubble')).toBe('#aa0000');
  expect(colour('font')).toMatch(/^Inter, /);
});

it('takes its sheets off again', () => {
  const { root, look } = wear();
  look.remove();
  expect(root.adoptedStyleSheets).toHaveLength(0);
});

it('uses no token that nothing sets, and no rem, which is of the page', () => {
  const css = base + panel + transcript + prose + composer;
  const used = new Set([...css.matchAll(/--agentstore-[a-z-]+/g)].map(([name]) => name));
  expect(used.difference(new Set(propertiesOf(colours('light'), 'x').keys()))).toEqual(new Set());
  expect(css).not.toMatch(/\drem\b/);
});
