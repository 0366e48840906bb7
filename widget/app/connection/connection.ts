import { createClient } from 'graphql-ws';
import type { Connection as Word } from '../chat/chat-state.ts';
import type { Surroundings } from '../chat/surroundings.ts';
import type { Session } from '../session/session.ts';
import { createBackoff } from './backoff.ts';
import { isFault, sessionRevoked, terminated, tokenRefused } from './close-codes.ts';
import { passes, Refused, refusedBy } from './refused.ts';

const keepAliveMs = 12_000;
/** Without a word for so long, a socket is lost (PROTOCOL §2). */
const silenceMs = 30_000;
const pongMs = 5_000;
const acknowledgementMs = 10_000;
const idleMs = 60_000;
const answerMs = 30_000;

type Variables = Readonly<Record<string, unknown>>;

/** A query or mutation, or one try of a subscription. */
interface Operation<Data> {
  readonly query: string;
  /** Asked for when it is sent, each time that it is. */
  readonly variables: () => Variables;
  /** Returns true to leave. */
  readonly next: (data: Data) => boolean;
  /** Without: as long as it takes. */
  readonly deadlineMs?: number;
  readonly signal: AbortSignal;
}

/** graphql-ws to the store. Operations wait for a session and a socket, and are sent again after each cut, so they must be idempotent. */
export interface Connection {
  /** Throws Refused, NoSession or the signal's reason. */
  request<Data>(query: string, variables: () => Variables, signal: AbortSignal): Promise<Data>;
  /** Until it completes, or `next` answers true. A cut is mended with what `variables` say then. */
  follow<Data>(operation: Operation<Data>): Promise<void>;
  /** Something is wanted while this goes on: it shows in the word. */
  during<T>(work: Promise<T>): Promise<T>;
  /** The network came or went: finds out at once whether the socket lives. */
  verify(): void;
  /** Slows down what would go round. */
  failed(): void;
  /** With another token. */
  restart(): void;
  shutdown(): void;
}

/** The socket was lost under an operation. */
class Cut extends Error {}

export function connect(
  surroundings: Surroundings,
  session: Session,
  tell: (word: Word) => void,
): Connection {
  const { clock } = surroundings;
  const backoff = createBackoff(surroundings);
  let url = '';
  let token = '';
  let operations = 0;
  let socket: WebSocket | null = null;
  let heardAt = 0;
  let heard = 0;
  /** Whether an operation was answered on this socket. */
  let useful = false;
  /** Whether the end of this socket was dealt with: an error is told before its close. */
  let isLost = false;
  let wanted = 0;
  let wasOpen = false;
  let stopWatching = () => {};
  let stopRefreshing = () => {};

  function say(): void {
    if (socket) tell('open');
    else if (!wanted && !wasOpen) tell('idle');
    else if (!surroundings.online()) tell('offline');
    else if (!wanted) tell('idle');
    else tell(wasOpen ? 'reconnecting' : 'connecting');
  }

  const client = createClient({
    url: () => url,
    webSocketImpl: surroundings.WebSocket,
    connectionParams: async () => {
      // Stopped meanwhile: the store refuses the old token, and the next try learns why.
      ({ token } = await session.ensure().catch(() => ({ token })));
      return { authorization: `Bearer ${token}` };
    },
    keepAlive: keepAliveMs,
    lazyCloseTimeout: idleMs,
    connectionAckWaitTimeout: acknowledgementMs,
    generateID: () => String(++operations), // graphql-ws asks Math.random, which is the page's to replace
    retryAttempts: 0, // `follow` tries again: it knows what to ask for then
    on: {
      connecting: () => {
        useful = isLost = false;
        heardAt = clock.now();
        watch();
      },
      message: () => {
        heardAt = clock.now();
        heard += 1;
      },
      connected: (opened) => {
        socket = opened as WebSocket;
        wasOpen = true;
        refresh();
        say();
      },
      error: () => lost(0),
      closed: (event) => lost((event as CloseEvent).code),
    },
  });

  function watch(): void {
    stopWatching();
    stopWatching = clock.after(heardAt + silenceMs - clock.now(), () => {
      if (clock.now() - heardAt < silenceMs) watch();
      else client.terminate();
    });
  }

  /** Gets the next token before this one ends, so that the store's 4403 costs a reconnect only. */
  function refresh(): void {
    stopRefreshing = clock.after(session.freshMs(), () => void session.ensure().catch(() => undefined));
  }

  function lost(code: number): void {
    stopWatching();
    stopRefreshing();
    socket = null;
    if (code === tokenRefused) {
      session.invalidate(token);
      // At once, also when nothing is under way: the agent may be paused, and whoever reads should learn it before they write.
      void session.ensure().catch(() => undefined);
    }
    if (code === sessionRevoked) session.stop({ kind: 'revoked' });
    else if (isFault(code)) session.stop({ kind: 'unavailable' });
    else if (!isLost && !(useful && [tokenRefused, terminated].includes(code)) && code !== 1000)
      backoff.failed();
    isLost = true;
    say();
  }

  async function attempt<Data>(operation: Operation<Data>): Promise<void> {
    const { query, variables, next, deadlineMs, signal } = operation;
    await backoff.wait();
    ({ graphqlUrl: url } = await session.ensure());
    signal.throwIfAborted();
    let leave = () => {};
    let callOff = () => {};
    let abort = () => {};
    await new Promise<void>((resolve, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort);
      if (deadlineMs !== undefined)
        callOff = clock.after(deadlineMs, () => {
          backoff.failed();
          reject(new Cut());
        });
      leave = client.subscribe<Data>(
        { query, variables: { toJSON: variables } },
        {
          next: ({ data, errors }) => {
            if (errors?.length) return reject(refusedBy(errors));
            useful = true;
            backoff.succeeded();
            try {
              if (next(data!)) resolve();
            } catch (error) {
              reject(error); // what graphql-ws would take for a broken socket
            }
          },
          error: (reason) => reject(Array.isArray(reason) ? refusedBy(reason) : new Cut()),
          complete: resolve,
        },
      );
    }).finally(() => {
      callOff();
      signal.removeEventListener('abort', abort);
      leave();
    });
  }

  /** Whether it may be tried again; throws what is final. */
  function survive(error: unknown, isStream: boolean): void {
    if (error instanceof Cut) return;
    if (!(error instanceof Refused)) throw error;
    if (error.code === 'UNAUTHENTICATED') {
      session.invalidate(token);
      if (!useful) backoff.failed();
      client.terminate();
    } else if (passes(error.code) || (isStream && error.code === 'INTERNAL')) backoff.failed();
    else throw error;
  }

  async function during<T>(work: Promise<T>): Promise<T> {
    wanted += 1;
    say();
    return work.finally(() => {
      wanted -= 1;
      say();
    });
  }

  async function untilDone<Data>(operation: Operation<Data>): Promise<void> {
    for (;;) {
      try {
        return await attempt(operation);
      } catch (error) {
        survive(error, operation.deadlineMs === undefined);
      }
    }
  }
  const follow = <Data>(operation: Operation<Data>) => during(untilDone(operation));

  return {
    follow,
    request: async <Data>(query: string, variables: () => Variables, signal: AbortSignal) => {
      let answer: Data | undefined;
      const next = (data: Data) => {
        answer = data;
        return true;
      };
      await follow<Data>({ query, variables, next, deadlineMs: answerMs, signal });
      if (answer === undefined) throw new Refused('NO_ANSWER');
      return answer;
    },
    during,
    verify: () => {
      backoff.wake();
      say();
      if (!socket) return;
      const pinged = socket;
      const before = heard;
      pinged.send('{"type":"ping"}');
      clock.after(pongMs, () => {
        if (socket === pinged && heard === before) client.terminate();
      });
    },
    failed: () => backoff.failed(),
    restart: () => client.terminate(),
    shutdown: () => {
      stopWatching();
      stopRefreshing();
      client.terminate();
      void client.dispose();
    },
  };
}
