import type { Branding } from '@agentstore/kernel/branding';
import type { Words } from '../locales/words.ts';

/** What is shown on the launcher that the loader drew. */
export interface LauncherState {
  readonly open: boolean;
  readonly unread: number;
  readonly branding: Branding | null;
  readonly words: Words;
}

/**
 * Keeps the launcher's name, badge, text and corner (`data-position`) up to date; its colours are properties of the host. Its presses are the loader's.
 * With another text or corner it is taken away for one frame, unless it has the focus: what appears has no place that it moved from, so it does not count as a shift
 * of the page's layout.
 */
export function dressLauncher(launcher: HTMLButtonElement): (state: LauncherState) => void {
  const badge = document.createElement('span');
  badge.className = 'badge';
  badge.setAttribute('part', 'badge');
  badge.setAttribute('aria-hidden', 'true');
  const label = document.createElement('span');
  label.className = 'launcher-text';
  return ({ open, unread, branding, words }) => {
    const text = branding?.launcherText ?? '';
    const position = branding?.position ?? 'BOTTOM_RIGHT';
    const moves = text !== label.textContent || position !== (launcher.dataset['position'] ?? 'BOTTOM_RIGHT');
    if (moves && (launcher.getRootNode() as ShadowRoot).activeElement !== launcher) {
      launcher.hidden = true;
      requestAnimationFrame(() => (launcher.hidden = false));
    }
    label.textContent = text;
    if (text) launcher.append(label);
    else label.remove();
    badge.textContent = unread > 99 ? '99+' : String(unread);
    if (unread) launcher.append(badge);
    else badge.remove();
    // the visible text is a part of the name, for those who speak to their computer
    const name = open
      ? words.close
      : [text || words.open, unread ? words.unread(unread) : ''].filter(Boolean).join(', ');
    launcher.setAttribute('aria-label', open && text ? `${text}, ${name}` : name);
    launcher.setAttribute('aria-expanded', String(open));
    launcher.dataset['position'] = position;
  };
}
