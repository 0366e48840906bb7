import type { Branding } from '@agentstore/kernel/branding';
import type { Trouble } from '../chat/trouble.ts';
import type { Kept } from '../chat/kept.ts';
import type { Surroundings } from '../chat/surroundings.ts';
import { createBackoff } from '../connection/backoff.ts';
import { askForSession, endSession, type SessionAnswer } from './ask-for-session.ts';
import { jwtOf, type Identity } from './identity.ts';
import { verdictOn } from './refusal.ts';

/** There is no session and none is asked for until the panel is opened again; `Trouble` has been told. */
export class NoSession extends Error {}

/** The part of a token's life, at its end, in which another one is got. */
const lastPart = 0.1;

/** Who listens to a session. */
export interface SessionListener {
  began(session: SessionAnswer): void;
  /** Null: it is over. `branding` where the refusal had some. */
  trouble(trouble: Trouble | null, branding: Branding | null): void;
}

/** The session of this tab. Its token is in memory only. */
export interface Session {
  /** The session with a token that is good for a while; asks for one, and waits as long as it takes. Throws NoSession. */
  ensure(): Promise<SessionAnswer>;
  /** Milliseconds until another token should be got. */
  freshMs(): number;
  /** The server does not take this token any more. */
  invalidate(token: string): void;
  /** Nothing is asked until `permit`. */
  stop(trouble: Trouble): unknown;
  permit(): void;
  /** There may be a network again. */
  wake(): void;
  identify(identity: Identity | null): void;
  /** Forgets token and handle, and tells the server. */
  end(): Promise<void>;
}

export function createSession(
  surroundings: Surroundings,
  { widgetKey, store, kept }: { widgetKey: string; store: string; kept: Kept },
  listener: SessionListener,
): Session {
  const { clock, exclusive } = surroundings;
  const backoff = createBackoff(surroundings);
  let identity: Identity | null = null;
  let current: { readonly session: SessionAnswer; readonly freshUntil: number } | null = null;
  let asking: Promise<SessionAnswer> | null = null;
  let stopped = false;
  /** Changes with whom is asked for: an answer for an earlier one is of no use. */
  let subject = Symbol();
  /** Changes when the visitor is forgotten: an answer for an earlier one must not bring them back. */
  let visitor = Symbol();

  function stop(trouble: Trouble, branding: Branding | null = null): NoSession {
    stopped = true;
    current = null;
    if (trouble.kind === 'revoked') kept.keepHandle(null);
    listener.trouble(trouble, branding);
    return new NoSession();
  }

  async function askOnce(jwt: string | undefined, asked: symbol) {
    const asker = visitor;
    const askedAt = clock.now();
    const handle = kept.handle();
    const outcome = await askForSession(surroundings, store, {
      widgetKey,
      ...(handle ? { handle } : {}),
      ...(jwt ? { identity: jwt } : {}),
    });
    if (outcome && 'session' in outcome) {
      const { session } = outcome;
      if (asker === visitor) kept.keepHandle(session.handle);
      else void endSession(surroundings, store, session.handle);
      if (asked === subject)
        current = { session, freshUntil: askedAt + session.expiresIn * 1_000 * (1 - lastPart) };
    }
    return outcome;
  }

  async function ask(asked: symbol): Promise<SessionAnswer> {
    let jwts = typeof identity === 'function' ? 2 : 1;
    let jwt = await jwtOf(identity, clock);
    for (;;) {
      await backoff.wait();
      // The handle is used up by being sent: tabs take turns.
      const outcome = await exclusive(`agentstore:${widgetKey}`, () => askOnce(jwt, asked));
      if (asked !== subject || stopped) throw new NoSession();
      if (!outcome) {
        if (surroundings.online()) listener.trouble({ kind: 'unavailable' }, null);
        backoff.failed();
      } else if ('session' in outcome) {
        backoff.succeeded();
        listener.trouble(null, null);
        listener.began(outcome.session);
        return outcome.session;
      } else {
        const { problem } = outcome;
        const verdict = verdictOn(problem);
        if (verdict.act === 'without-identity') {
          if (!jwt) throw stop({ kind: 'unavailable' });
          jwt = --jwts ? await jwtOf(identity, clock) : undefined;
        } else if (verdict.act === 'stop') {
          throw stop(verdict.trouble, problem.branding);
        } else {
          listener.trouble(verdict.trouble, problem.branding);
          if (verdict.trouble.kind === 'rate-limited')
            await new Promise<void>((resolve) => clock.after(problem.retryAfterSeconds * 1_000, resolve));
          else backoff.failed();
        }
      }
    }
  }

  const freshMs = () => (current ? current.freshUntil - clock.now() : 0);

  function changeSubject(next: Identity | null): void {
    identity = next;
    subject = Symbol();
    current = asking = null;
  }

  return {
    ensure: async () => {
      if (stopped) throw new NoSession();
      if (current && freshMs() > 0) return current.session;
      if (asking) return asking;
      const mine = ask(subject).finally(() => {
        if (asking === mine) asking = null;
      });
      return (asking = mine);
    },
    freshMs,
    invalidate: (token) => {
      if (current?.session.token === token) current = null;
    },
    stop,
    permit: () => {
      stopped = false;
    },
    wake: () => backoff.wake(),
    identify: changeSubject,
    end: async () => {
      const handle = kept.handle();
      changeSubject(null);
      visitor = Symbol();
      kept.keepHandle(null);
      if (handle) await endSession(surroundings, store, handle);
    },
  };
}
