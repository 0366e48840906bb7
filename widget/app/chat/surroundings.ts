/** What the chat needs of a browser; tests give their own. */
export interface Surroundings {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly WebSocket: typeof WebSocket;
  /** Throws where the browser forbids it. */
  readonly storage: () => Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** To the other tabs of this origin; null where there is no such thing. */
  readonly channel: (name: string) => Channel | null;
  /** Does the work while no other tab does work of that name. */
  readonly exclusive: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  /** 0 to 1, without 1. */
  readonly random: () => number;
  /** False when the browser is sure that there is no network. */
  readonly online: () => boolean;
  /** Calls when the network came or went, or the page is seen again; answers how to stop it. */
  readonly onWake: (listener: () => void) => () => void;
}

/** Of BroadcastChannel what is used. */
export interface Channel {
  postMessage(message: unknown): void;
  close(): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

export interface Clock {
  /** Milliseconds; goes on while the machine sleeps. */
  now(): number;
  /** Calls once, `ms` later; answers how to call it off. */
  after(ms: number, call: () => void): () => void;
}

/** Those of the page. */
export const browserSurroundings = (): Surroundings => ({
  fetch: (url, init) => fetch(url, init),
  WebSocket,
  storage: () => localStorage,
  channel: (name) => {
    try {
      return new BroadcastChannel(name);
    } catch {
      return null; // an opaque origin has none
    }
  },
  // Only a secure page has locks, and one of an opaque origin may not use them; the handle before the last is good for a minute, which is enough for the others.
  exclusive: async (name, work) => {
    if (!('locks' in navigator) || origin === 'null') return work();
    return navigator.locks.request(name, () => work());
  },
  clock: {
    now: () => Date.now(),
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  },
  random: () => Math.random(),
  online: () => navigator.onLine,
  onWake: (listener) => {
    const ending = new AbortController();
    const { signal } = ending;
    const seen = () => {
      if (document.visibilityState === 'visible') listener();
    };
    for (const name of ['online', 'offline', 'pageshow']) addEventListener(name, listener, { signal });
    document.addEventListener('visibilitychange', seen, { signal });
    return () => ending.abort();
  },
});
