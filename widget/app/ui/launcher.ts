import type { Branding } from '@agentstore/kernel/branding';
import type { Words } from '../locales/words.ts';

/** What is shown on the launcher that the loader drew. */
export interface LauncherState {
  readonly open: boolean;
  readonly unread: number;
  readonly branding: Branding | null;
  readonly words: Words;
}

/** Keeps the launcher's name, badge, text and corner (`data-position`) up to date. Its presses are the loader's. */
export function dressLauncher(launcher: HTMLButtonElement): (state: LauncherState) => void {
  const badge = document.createElement('span');
  badge.className = 'badge';
  badge.setAttribute('part', 'badge');
  badge.setAttribute('aria-hidden', 'true');
  const label = document.createElement('span');
  label.className = 'launcher-text';
  return ({ open, unread, branding, words }) => {
    const text = branding?.launcherText ?? '';
    if (branding && (label.textContent !== text || launcher.dataset['position'] !== branding.position)) {
      // What is taken away for a frame has no place that it moved from: no word more and no other corner is a shift of the page's layout.
      launcher.hidden = true;
      requestAnimationFrame(() => (launcher.hidden = false));
      launcher.dataset['position'] = branding.position;
      label.textContent = text;
      if (text) launcher.append(label);
      else label.remove();
    }
    badge.textContent = unread > 99 ? '99+' : String(unread);
    if (unread) launcher.append(badge);
    else badge.remove();
    // the visible text is a part of the name, for those who speak to their computer
    const name = open
      ? words.close
      : [text || words.open, unread ? words.unread(unread) : ''].filter(Boolean).join(', ');
    launcher.setAttribute('aria-label', open && text ? `${text}, ${name}` : name);
    launcher.setAttribute('aria-expanded', String(open));
  };
}
