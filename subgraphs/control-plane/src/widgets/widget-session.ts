import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import type { DesiredPhase, InstanceState } from '../instances/instance.ts';

/** A session that nobody used for so long is over. */
export const unusedDays = 30;
/** How long the handle before is good after it was replaced. */
const graceMs = 60_000;

/** A visitor's stay with one widget on one site. */
export interface Session {
  readonly id: Uuid;
  readonly organizationId: Uuid;
  readonly instanceId: Uuid;
  readonly visitorId: Uuid;
  readonly identified: boolean;
  readonly origin: string;
  readonly revokedAt: Date | null;
  readonly usedAt: Date;
}

/** A session with what is known of its handles. */
export interface HeldSession extends Session {
  readonly handleHash: string;
  readonly formerHash: string | null;
  readonly replacedAt: Date | null;
  readonly rotationKey: Buffer | null;
}

export type SessionRefusal = Refusal & {
  readonly code:
    | 'WIDGET_NOT_FOUND'
    | 'ORIGIN_NOT_ALLOWED'
    | 'INSTANCE_PAUSED'
    | 'INSTANCE_NOT_READY'
    | 'IDENTITY_INVALID'
    | 'SESSION_REVOKED';
};

const messages: Readonly<Record<SessionRefusal['code'], string>> = {
  WIDGET_NOT_FOUND: 'There is no such widget.',
  ORIGIN_NOT_ALLOWED: 'The widget may not be used on this site.',
  INSTANCE_PAUSED: 'The agent is paused.',
  INSTANCE_NOT_READY: 'The agent is not ready yet.',
  IDENTITY_INVALID: 'The identity of the visitor does not hold.',
  SESSION_REVOKED: 'The session was ended.',
};

/** A refusal of a page or of its visitor. */
export const refuse = (code: SessionRefusal['code']) =>
  refused<SessionRefusal>({ code, message: messages[code] });

/** The site on which an instance talks to visitors; `origin` is undefined when it is none of its sites. Where it does not talk, a page is told no more than that. */
export function admission(
  instance: { readonly state: InstanceState; readonly desiredPhase: DesiredPhase } | undefined,
  origin: string | undefined,
): Outcome<string, SessionRefusal> {
  if (!instance || instance.state === 'TERMINATED' || instance.desiredPhase === 'Terminated')
    return refuse('WIDGET_NOT_FOUND');
  if (origin === undefined) return refuse('ORIGIN_NOT_ALLOWED');
  if (instance.state === 'PAUSED' || instance.desiredPhase === 'Paused') return refuse('INSTANCE_PAUSED');
  return instance.state === 'ACTIVE' ? done(origin) : refuse('INSTANCE_NOT_READY');
}

/** How a page that shows a handle goes on. */
export type Passage =
  /** As a new visitor, or as whom the site vouches for, in a session of its own. */
  | 'NEW'
  /** With the session, and its handle is replaced. */
  | 'ROTATE'
  /** With the session, by the handle before: it gets again what that was replaced with. */
  | 'REPEAT'
  /** Not at all: it was ended. */
  | 'REVOKED'
  /** Not at all, and nobody else either: a handle that was replaced long ago is in two hands. */
  | 'REUSED';

/** What a handle is worth on this page; `held` is the session that it names, as it stands. */
export function passageOf(
  held: HeldSession | undefined,
  asked: {
    readonly instanceId: Uuid;
    readonly origin: string;
    readonly handleHash: string | undefined;
    /** Whom the site vouches for. */
    readonly visitorId: Uuid | undefined;
    readonly now: Date;
  },
): Passage {
  if (!held || held.instanceId !== asked.instanceId || held.origin !== asked.origin) return 'NEW';
  if (held.revokedAt) return 'REVOKED';
  if (isUnused(held, asked.now)) return 'NEW';
  const isCurrent = asked.handleHash === held.handleHash;
  const isFormer =
    asked.handleHash === held.formerHash &&
    asked.now.getTime() - (held.replacedAt?.getTime() ?? 0) <= graceMs;
  if (!isCurrent && !isFormer) return 'REUSED';
  if (asked.visitorId !== undefined && asked.visitorId !== held.visitorId) return 'NEW';
  return isCurrent ? 'ROTATE' : 'REPEAT';
}

/** Why a session may not go on; its instance's admission at its site is given. */
export function sessionFault(
  session: Session | undefined,
  admitted: Outcome<string, SessionRefusal>,
  now: Date,
): SessionRefusal | undefined {
  if (!session || session.revokedAt || isUnused(session, now)) return refuse('SESSION_REVOKED').error;
  if (admitted.ok) return undefined;
  const { code } = admitted.error;
  // What comes back is waited for; a site that was taken from the list, or an instance that is gone, is not.
  return refuse(
    code === 'INSTANCE_PAUSED' || code === 'INSTANCE_NOT_READY' ? 'INSTANCE_PAUSED' : 'SESSION_REVOKED',
  ).error;
}

const isUnused = ({ usedAt }: Pick<Session, 'usedAt'>, now: Date): boolean =>
  now.getTime() - usedAt.getTime() > unusedDays * 86_400_000;
