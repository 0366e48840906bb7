const style = `
:host { color-scheme: light dark; }
.launcher {
  all: initial;
  box-sizing: border-box;
  position: fixed;
  inset-block-end: 20px;
  inset-inline-end: 20px;
  display: flex;
  align-items: center;
  gap: 8px;
  min-width: 56px;
  height: 56px;
  padding: 0 16px;
  border-radius: 28px;
  background: var(--agent-store-launcher-background, #1f2430);
  color: var(--agent-store-launcher-color, #fff);
  font: 600 15px/1 system-ui, sans-serif;
  box-shadow: 0 4px 16px rgb(0 0 0 / 0.25);
  cursor: pointer;
}
.launcher[data-position$='LEFT'] { inset-inline: 20px auto; }
.launcher[data-position^='TOP'] { inset-block: 20px auto; }
.launcher[hidden] { display: none; }
.launcher:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
.launcher svg { width: 24px; height: 24px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linejoin: round; }
@media (forced-colors: active) { .launcher { border: 2px solid ButtonText; } }
@media print { .launcher { display: none; } }
`;

/** How a launcher looks once branding is known; colours are readable on each other. */
export interface LauncherLook {
  /** Beside the icon; empty for the icon alone. */
  readonly text: string;
  /** Accessible name where there is no text. */
  readonly label: string;
  readonly background: string;
  readonly color: string;
  /** `BOTTOM_RIGHT` and so on. */
  readonly position: string;
}

/** Draws the launcher, in neutral colours and without words: what an instance looks like is known with its first session only. */
export function drawLauncher(root: ShadowRoot): HTMLButtonElement {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const launcher = document.createElement('button');
  launcher.type = 'button';
  launcher.className = 'launcher';
  launcher.setAttribute('part', 'launcher');
  launcher.setAttribute('aria-label', 'Chat');
  launcher.setAttribute('aria-haspopup', 'dialog');
  launcher.setAttribute('aria-expanded', 'false');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M4 5h16v11H10l-5 4v-4H4z');
  svg.append(path);
  launcher.append(svg);
  root.append(launcher);
  return launcher;
}

/**
 * Gives a launcher the look of its instance. It is taken away for one frame: what appears has no place that it moved from, so neither a word more nor another
 * corner counts as a shift of the page's layout.
 */
export function brandLauncher(launcher: HTMLButtonElement, look: LauncherLook): void {
  launcher.hidden = true;
  launcher.dataset['position'] = look.position;
  launcher.style.setProperty('background', `var(--agent-store-launcher-background, ${look.background})`);
  launcher.style.setProperty('color', `var(--agent-store-launcher-color, ${look.color})`);
  launcher.replaceChildren(launcher.firstChild!, look.text);
  launcher.setAttribute('aria-label', look.text || look.label);
  requestAnimationFrame(() => (launcher.hidden = false));
}
