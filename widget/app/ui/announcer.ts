/** Time between two announcements, and how long one stays to be found. */
const pause = 1_000;
const stays = 2_000;

export interface Announcer {
  readonly node: HTMLElement;
  /** What is still unsaid about the same thing is not said any more. */
  say(text: string, about?: string): void;
  stop(): void;
}

/** The one live region: outside of the transcript, so that a growing answer is not read word by word. Says one thing a second at most. */
export function createAnnouncer(): Announcer {
  const node = document.createElement('div');
  node.className = 'sr';
  node.setAttribute('role', 'status');
  node.setAttribute('aria-live', 'polite');
  node.setAttribute('aria-atomic', 'true');

  let unsaid: { readonly text: string; readonly about: string }[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = (): void => {
    const said = unsaid.shift();
    if (said) {
      node.textContent = said.text;
      timer = setTimeout(next, pause);
    } else {
      timer = undefined;
      if (node.textContent) clearing = setTimeout(() => (node.textContent = ''), stays - pause);
    }
  };
  let clearing: ReturnType<typeof setTimeout> | undefined;

  return {
    node,
    say: (text, about = text) => {
      unsaid = [...unsaid.filter((other) => other.about !== about), { text, about }];
      clearTimeout(clearing);
      if (timer === undefined) next();
    },
    stop: () => {
      clearTimeout(timer);
      clearTimeout(clearing);
    },
  };
}
