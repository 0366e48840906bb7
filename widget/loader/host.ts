/** A floating widget's element on the page. */
export interface Host {
  readonly root: ShadowRoot;
  remove(): void;
}

/** As the page's own styles cannot change it: they win over those of a shadow root, but not over these. */
const fixed = {
  all: 'initial',
  display: 'block',
  position: 'fixed',
  'z-index': 'var(--agentstore-z-index, 2147483647)',
  inset: 'auto',
  width: '0',
  height: '0',
};

/**
 * Puts an element beside `body`, not into it: there a router that swaps the body does not take it away, a transformed body does not carry it off, and the page can be
 * made inert under a panel that covers it. Where a page replaces the whole document it comes back.
 */
export function placeHost(widgetKey: string): Host {
  const element = document.createElement('agent-store-widget');
  element.dataset['widgetKey'] = widgetKey;
  for (const [property, value] of Object.entries(fixed))
    element.style.setProperty(property, value, 'important');
  const root = element.attachShadow({ mode: 'open' });
  const attach = (): void => {
    if (element.parentNode !== document.documentElement) document.documentElement.append(element);
    observer.observe(document.documentElement, { childList: true });
  };
  const observer = new MutationObserver(attach);
  observer.observe(document, { childList: true });
  attach();
  // A page that comes back from the cache may have been frozen between the two halves of a swap.
  addEventListener('pageshow', attach);
  return {
    root,
    remove() {
      observer.disconnect();
      removeEventListener('pageshow', attach);
      element.remove();
    },
  };
}
