import { connect } from '../connection/connection.ts';
import type { SessionAnswer } from '../session/ask-for-session.ts';
import { createSession, type SessionListener } from '../session/session.ts';
import type { Chat } from './chat-state.ts';
import { readPastConversations } from './history.ts';
import { keptFor } from './kept.ts';
import { openOutbox } from './outbox.ts';
import { createStore } from './store.ts';
import { browserSurroundings, type Surroundings } from './surroundings.ts';
import { joinTabs, type TabNews } from './tabs.ts';
import { beginTalk, type Talk, type TalkRoom } from './talk.ts';
import { countUnread } from './unread.ts';

/** Least time between two looks at what was said elsewhere. */
const catchUpMs = 30_000;

export interface ChatOptions {
  /** `wk_…`. */
  readonly widgetKey: string;
  /** Origin of the store. */
  readonly store: string;
}

/** Everything behind the panel. Nothing is asked of the store before `prepare`, `open` or `send`. */
export function createChat(
  { widgetKey, store: origin }: ChatOptions,
  surroundings: Surroundings = browserSurroundings(),
): Chat {
  const { clock } = surroundings;
  const ending = new AbortController();
  const store = createStore();
  const kept = keptFor(widgetKey, surroundings);
  const outbox = openOutbox(kept);
  let known: SessionAnswer | null = null;
  let isOpen = false;
  let isPrepared = false;
  let isStarted = false;
  let caughtUpAt = clock.now();

  const listener: SessionListener = {
    began: (session) => {
      const isAnother = known && known.visitorId !== session.visitorId;
      known = session;
      const { branding, limits, identified } = session;
      store.set({ branding, limits, identified });
      if (isAnother) {
        forgetTalks();
        startOver();
        connection.restart();
      }
    },
    trouble: (trouble, branding) => {
      if (ending.signal.aborted) return;
      store.set({ trouble, ...(branding ? { branding } : {}) });
      if (trouble?.kind === 'revoked') forgetTalks();
    },
  };
  const session = createSession(surroundings, { widgetKey, store: origin, kept }, listener);
  const connection = connect(surroundings, session, (word) => store.set({ connection: word }));
  const tabs = joinTabs(surroundings, widgetKey, hear);
  const unread = countUnread(
    (count) => store.set({ unread: count }),
    (news) => tabs.post({ kind: 'unread', ...news }),
  );

  const room: TalkRoom = {
    connection,
    outbox,
    instanceId: () => known!.instanceId,
    inputCharacters: () => store.state.limits.inputCharacters,
    changed: (talk) => {
      if (talk === current) show();
    },
    accepted: (talk, run) => {
      if (talk === current) show();
      tabs.post({ kind: 'run', ...run });
    },
    ended: (runId) => unread.ended(runId),
  };
  /** All that go on; the last one shown is `current`. */
  let talks: readonly Talk[] = [];
  let keptId = kept.conversationId();
  let current = talkOf(keptId);

  function talkOf(id: string | null): Talk {
    const known = talks.find((talk) => talk.id === id);
    if (known) return known;
    const talk = beginTalk(room, id);
    talks = [...talks, talk];
    return talk;
  }

  function takeFromBrowser(): void {
    show(talkOf(kept.conversationId()));
    for (const message of outbox.unsent) talkOf(message.conversationId).restore(message);
  }

  function show(talk: Talk = current): void {
    current = talk;
    const { id: conversationId, messages, hasOlder } = talk;
    // Once, not whenever another tab shows another one.
    if (conversationId !== keptId) kept.keepConversationId((keptId = conversationId));
    store.set({ conversationId, messages, hasOlder });
  }

  /** In the browser. */
  function forgetTalks(): void {
    kept.keepConversationId((keptId = null));
    kept.changeOutbox(() => []);
  }

  /** For another visitor, or nobody in particular. */
  function startOver(): void {
    for (const talk of talks) talk.leave();
    talks = [];
    store.set({ conversations: null });
    unread.clear();
    takeFromBrowser();
  }

  /** The visitor acts: what stopped us is asked about again. */
  function again(): void {
    if (ending.signal.aborted) return;
    if (store.state.trouble?.kind === 'revoked') startOver();
    session.permit();
  }

  function catchUp(): void {
    if (clock.now() - caughtUpAt < catchUpMs) return;
    caughtUpAt = clock.now();
    void current.catchUp().catch(() => undefined);
  }

  /** Until there is a session, and what was said is there. What goes wrong has been told. */
  async function takeUp(): Promise<void> {
    if (ending.signal.aborted) return;
    isStarted = true;
    await connection.during(takeUpAll()).catch(() => undefined);
  }

  async function prepare(): Promise<void> {
    if (ending.signal.aborted) return;
    isPrepared = true;
    if (isStarted || outbox.unsent.length) await takeUp();
    else await session.ensure().catch(() => undefined);
  }

  async function takeUpAll(): Promise<void> {
    await session.ensure();
    await Promise.all(talks.map((talk) => talk.takeUp()));
  }

  async function forget(): Promise<void> {
    const ended = session.end();
    forgetTalks();
    known = null;
    startOver();
    connection.restart();
    store.set({ identified: false, trouble: null });
    session.permit();
    await ended;
  }

  async function reset(): Promise<void> {
    tabs.post({ kind: 'reset' });
    await forget();
  }

  function hear(news: TabNews): void {
    if (news.kind === 'unread') unread.heard(news);
    else if (news.kind === 'reset') void forget();
    else if (known) {
      const isNew = !current.id && !current.messages.length;
      const talk = talks.find(({ id }) => id === news.conversationId) ?? (isNew ? current : undefined);
      talk?.adopt(news);
    }
  }

  const stopListening = surroundings.onWake(() => {
    session.wake();
    connection.verify();
    if (!isStarted || !surroundings.online()) return;
    if (store.state.trouble?.kind === 'unavailable') {
      session.permit();
      void takeUp();
    } else if (isOpen) catchUp();
  });

  takeFromBrowser();

  return {
    get state() {
      return store.state;
    },
    subscribe: (told) => store.subscribe(told),
    prepare,
    open: async () => {
      isOpen = true;
      unread.open();
      again();
      if (isStarted) catchUp();
      await takeUp();
    },
    close: () => {
      isOpen = false;
      unread.close();
    },
    send,
    stop: () => current.stop(),
    retry: (key) => {
      again();
      const text = current.retry(key);
      if (text === undefined) void takeUp();
      else send(text);
    },
    rate: (runId, rating, reason) => current.rate(runId, rating, reason ?? null),
    newConversation: () => show(talkOf(null)),
    openConversation: async (id) => {
      show(talkOf(id));
      await takeUp();
    },
    loadOlder: () => current.loadOlder().catch(() => undefined),
    loadConversations: async () => {
      try {
        store.set({ conversations: await readPastConversations(connection, ending.signal) });
      } catch {
        // The words of the connection say it.
      }
    },
    identify: async (identity) => {
      if (identity === null) {
        await reset();
        if (isOpen) await takeUp();
        return;
      }
      session.identify(identity);
      if (isPrepared || isStarted) await prepare();
    },
    reset,
    shutdown: () => {
      ending.abort();
      stopListening();
      for (const talk of talks) talk.leave();
      tabs.close();
      connection.shutdown();
      session.stop({ kind: 'unavailable' });
    },
  };

  function send(text: string): void {
    if (!text.trim() || ending.signal.aborted) return;
    again();
    current.send(newKey(), text);
    void takeUp();
  }
}

/** `crypto.randomUUID` is for secure pages only. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
