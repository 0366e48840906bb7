const inside = 'a[href],button,[role=button],summary,input';

/**
 * Makes a transcript one tab stop: arrow keys, Home and End go from message (`article`) to message, Enter goes into one, Escape out of it and then to
 * `leave`. Done on the nodes themselves, since most of what is in a message (links, copy buttons) is not drawn by components.
 */
export function roam(log: HTMLElement, leave: () => void): () => void {
  let current: HTMLElement | undefined;
  let entered: HTMLElement | undefined;

  const articles = (): HTMLElement[] => [...log.querySelectorAll<HTMLElement>('article')];
  const stop = (element: HTMLElement, reachable: boolean): void => {
    const index = reachable ? 0 : -1;
    if (element.getAttribute('tabindex') !== `${index}`) element.tabIndex = index;
  };
  const settleInside = (article: Element): void => {
    // what is still being written is compared with what was drawn, attributes and all; its writer keeps it out of the tab order
    if (article.ariaBusy === 'true') return;
    for (const element of article.querySelectorAll<HTMLElement>(inside)) stop(element, article === entered);
    // what scrolls must be reachable by itself, or its far side is only for who has a mouse
    for (const table of article.querySelectorAll<HTMLElement>('.table'))
      if (table.scrollWidth > table.clientWidth) table.tabIndex = 0;
  };
  const settle = (): void => {
    const all = articles();
    if (!current || !log.contains(current) || !log.contains(focused())) current = all.at(-1);
    for (const article of all) stop(article, article === current);
  };
  const focused = (): Element | null => (log.getRootNode() as ShadowRoot).activeElement;
  const enter = (article: HTMLElement | undefined): void => {
    const left = entered;
    entered = article;
    if (left && left !== article) settleInside(left);
    if (article) settleInside(article);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    const article = target.closest('article');
    if (!article || event.defaultPrevented) return;
    if (event.key === 'Escape') {
      if (target === article) leave();
      else article.focus();
    } else if (target !== article) return;
    else if (event.key === 'Enter') {
      enter(article);
      article.querySelector<HTMLElement>(inside)?.focus();
    } else {
      const all = articles();
      const at = all.indexOf(article);
      const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      all[to]?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const onFocusIn = (event: FocusEvent): void => {
    const target = event.target as HTMLElement;
    const article = target.closest('article') ?? undefined;
    if (article) current = article;
    enter(target === article ? undefined : article);
    settle();
  };
  const onFocusOut = (event: FocusEvent): void => {
    if (!log.contains(event.relatedTarget as Node | null)) enter(undefined);
  };

  log.addEventListener('keydown', onKeyDown);
  log.addEventListener('focusin', onFocusIn);
  log.addEventListener('focusout', onFocusOut);
  const observer = new MutationObserver((records) => {
    const changed = new Set<Element>();
    for (const { target, addedNodes } of records) {
      const article = (target as Element).closest('article');
      if (article) changed.add(article);
      else for (const node of addedNodes) if (node instanceof Element) changed.add(node);
    }
    changed.forEach(settleInside);
    settle();
  });
  observer.observe(log, { childList: true, subtree: true });
  articles().forEach(settleInside);
  settle();

  return () => {
    observer.disconnect();
    log.removeEventListener('keydown', onKeyDown);
    log.removeEventListener('focusin', onFocusIn);
    log.removeEventListener('focusout', onFocusOut);
  };
}
