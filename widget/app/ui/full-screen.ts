/** A phone, held either way. */
const small = '(max-width: 480px), (max-height: 480px) and (pointer: coarse)';

export interface FullScreen {
  readonly wanted: boolean;
  /** Takes the screen, or gives it back. */
  take(panel: HTMLElement, taken: boolean): void;
  stop(): void;
}

/**
 * On a small screen the panel is all of it: the rest of the page is inert and does not scroll, and the panel keeps to what the keyboard leaves free.
 * @param changed the screen became small, or is no more
 */
export function createFullScreen(host: Element, changed: () => void): FullScreen {
  const media = matchMedia(small);
  const viewport = window.visualViewport;
  let panel: HTMLElement | undefined;
  let giveBack: (() => void) | undefined;

  const fit = (): void => {
    if (!panel || !viewport) return;
    panel.style.setProperty('--_height', `${viewport.height}px`);
    panel.style.setProperty('--_top', `${viewport.offsetTop}px`);
  };
  const seize = (): (() => void) => {
    const others: Element[] = [];
    for (
      let element: Element | null = host;
      element && element !== document.body;
      element = element.parentElement
    )
      for (const other of element.parentElement?.children ?? [])
        if (other !== element && !other.hasAttribute('inert')) others.push(other);
    for (const other of others) other.toggleAttribute('inert', true);
    const page = document.documentElement.style;
    const { overflow } = page;
    page.overflow = 'hidden';
    viewport?.addEventListener('resize', fit);
    viewport?.addEventListener('scroll', fit);
    return () => {
      for (const other of others) other.removeAttribute('inert');
      page.overflow = overflow;
      viewport?.removeEventListener('resize', fit);
      viewport?.removeEventListener('scroll', fit);
    };
  };

  media.addEventListener('change', changed);
  return {
    get wanted() {
      return media.matches;
    },
    take: (element, taken) => {
      panel = element;
      if (taken === Boolean(giveBack)) return;
      if (taken) {
        giveBack = seize();
        requestAnimationFrame(fit); // to ask now would lay the page out in the middle of opening
      } else {
        giveBack?.();
        giveBack = undefined;
      }
    },
    stop: () => {
      media.removeEventListener('change', changed);
      giveBack?.();
    },
  };
}
