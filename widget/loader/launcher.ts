const style = `
:host { color-scheme: light dark; }
.launcher {
  all: initial;
  box-sizing: border-box;
  position: fixed;
  bottom: var(--agentstore-offset, 20px);
  right: var(--agentstore-offset, 20px);
  display: flex;
  align-items: center;
  gap: 8px;
  min-width: 56px;
  height: 56px;
  padding: 0 16px;
  border-radius: 28px;
  background: var(--agentstore-launcher, #1f2430);
  color: var(--agentstore-launcher-text, #fff);
  font: 600 15px/1.2 var(--agentstore-font, system-ui, sans-serif);
  box-shadow: 0 4px 16px rgb(0 0 0 / 0.25);
  cursor: pointer;
}
.launcher[data-position$='LEFT'] { right: auto; left: var(--agentstore-offset, 20px); }
.launcher[data-position^='TOP'] { top: var(--agentstore-offset, 20px); bottom: auto; }
.launcher[hidden] { display: none; }
.launcher:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
.launcher svg { width: 24px; height: 24px; fill: none; stroke: currentcolor; stroke-width: 2; stroke-linejoin: round; }
@media (forced-colors: active) { .launcher { border: 2px solid ButtonText; } }
@media print { .launcher { display: none; } }
`;

/** Draws the launcher, in neutral colours and without words until the app has them from the first session. Its corner is the page's own, whichever way it is read. */
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
