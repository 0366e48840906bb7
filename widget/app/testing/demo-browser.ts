import type { Chat } from '../chat/chat-state.ts';
import type { Channel, Clock, Surroundings } from '../chat/surroundings.ts';

/** A clock that a test moves; what is due at once comes by itself. */
export interface DemoClock extends Clock {
  advance(ms: number): void;
}

function demoClock(): DemoClock {
  let now = 1_000_000;
  const timers = new Set<{ at: number; call: () => void }>();
  return {
    now: () => now,
    after: (ms, call) => {
      if (ms <= 0) {
        const soon = setTimeout(call);
        return () => clearTimeout(soon);
      }
      const timer = { at: now + ms, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      now += ms;
      for (const timer of [...timers].toSorted((one, other) => one.at - other.at))
        if (timer.at <= now && timers.delete(timer)) timer.call();
    },
  };
}

export type DemoBrowser = ReturnType<typeof openDemoBrowser>;

/** A browser with one profile: its tabs share storage, channels and locks. */
export function openDemoBrowser() {
  const stored = new Map<string, string>();
  const channels = new Map<string, Set<Channel>>();
  const locks = new Map<string, Promise<unknown>>();
  const browser = {
    stored,
    clock: demoClock(),
    isOnline: true,
    storageFails: false,
    /** Of backoffs: 0 tries again at once. */
    random: 0,
    wakers: new Set<() => void>(),
    sockets: 0,
    /** At most how many tabs were inside a lock at a time. */
    inLock: { now: 0, most: 0 },
    goOnline(online: boolean): void {
      browser.isOnline = online;
      browser.wake();
    },
    wake(): void {
      for (const wake of browser.wakers) wake();
    },
    tab,
  };

  function tab(): Surroundings {
    class DemoWebSocket extends WebSocket {
      constructor(url: string, protocols?: string | string[]) {
        super(browser.isOnline ? url : 'ws://127.0.0.1:1', protocols);
        browser.sockets += 1;
      }
    }
    return {
      fetch: (url, init) => (browser.isOnline ? fetch(url, init) : Promise.reject(new TypeError('offline'))),
      WebSocket: DemoWebSocket as typeof WebSocket,
      storage: () => {
        if (browser.storageFails) throw new Error('SecurityError');
        return {
          getItem: (name) => stored.get(name) ?? null,
          setItem: (name, value) => void stored.set(name, value),
          removeItem: (name) => void stored.delete(name),
        };
      },
      channel: (name) => {
        const members = channels.get(name) ?? new Set();
        channels.set(name, members);
        const mine: Channel = {
          onmessage: null,
          postMessage: (message) => {
            const data: unknown = structuredClone(message);
            for (const other of members)
              if (other !== mine) setTimeout(() => other.onmessage?.({ data } as MessageEvent));
          },
          close: () => members.delete(mine),
        };
        members.add(mine);
        return mine;
      },
      exclusive: (name, work) => {
        const turn = (locks.get(name) ?? Promise.resolve()).then(async () => {
          browser.inLock.most = Math.max(browser.inLock.most, ++browser.inLock.now);
          try {
            return await work();
          } finally {
            browser.inLock.now -= 1;
          }
        });
        locks.set(
          name,
          turn.catch(() => undefined),
        );
        return turn;
      },
      clock: browser.clock,
      random: () => browser.random,
      online: () => browser.isOnline,
      onWake: (wake) => {
        browser.wakers.add(wake);
        return () => browser.wakers.delete(wake);
      },
    };
  }
  return browser;
}

/** Waits until the state is as it is wanted. */
export function until(chat: Chat, isIt: (state: Chat['state']) => boolean): Promise<Chat['state']> {
  if (isIt(chat.state)) return Promise.resolve(chat.state);
  return new Promise((resolve, reject) => {
    const stop = chat.subscribe(() => {
      if (!isIt(chat.state)) return;
      clearTimeout(tooLate);
      stop();
      resolve(chat.state);
    });
    const tooLate = setTimeout(
      () => reject(new Error(`still ${JSON.stringify(chat.state, null, 1)}`)),
      10_000,
    );
  });
}
