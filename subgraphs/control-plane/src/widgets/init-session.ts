import { randomBytes } from 'node:crypto';
import type { Scope } from '@agentstore/kernel/access';
import type { Branding } from '@agentstore/kernel/branding';
import type { Tx } from '@agentstore/kernel/db/database';
import { done, type Outcome } from '@agentstore/kernel/outcome';
import type { WidgetSession, WidgetSessionRequest } from '@agentstore/kernel/widget-session';
import { acceptsOrigin } from '../branding/allowed-domain.ts';
import { brandingOf } from '../branding/brandings.store.ts';
import type { Room } from '../deps.ts';
import { makeHandle, nextHandle, parseHandle, type Handle } from './handle.ts';
import { subjectHashOf } from './identity-token.ts';
import { insertSession, lockSession, replaceHandle, revokeSession } from './widget-sessions.store.ts';
import {
  admission,
  passageOf,
  refuse,
  type HeldSession,
  type Session,
  type SessionRefusal,
} from './widget-session.ts';
import { vouchedVisitor, widgetByKey, type Widget } from './widgets.store.ts';

/** A refusal, with how the instance looks where a page says the refusal in its own panel. */
type InitRefusal = SessionRefusal & { readonly branding?: Branding };

interface Started {
  readonly session: Session;
  readonly handle: Handle;
}

/** A page asks to talk: the visitor's session goes on, or a new one begins. All of it is one transaction; a handle that is in two hands ends its session also when the answer is a refusal. */
export function initSession(
  room: Room,
  scope: Scope,
  asked: WidgetSessionRequest,
): Promise<Outcome<WidgetSession, InitRefusal>> {
  return room.db.transaction(scope, async (tx): Promise<Outcome<WidgetSession, InitRefusal>> => {
    const widget = await widgetByKey(tx, asked.widgetKey);
    if (!widget) return refuse('WIDGET_NOT_FOUND');
    const { wire, allowedDomains, visitorSpendCap } = await brandingOf(tx, widget.instanceId, room.branding);
    const origin = acceptsOrigin(allowedDomains, asked.origin);
    const admitted = admission(widget, origin);
    if (!admitted.ok) {
      const { error } = admitted;
      const isSaid = error.code === 'INSTANCE_PAUSED' || error.code === 'INSTANCE_NOT_READY';
      return isSaid ? { ok: false, error: { ...error, branding: wire } } : admitted;
    }
    const started = await goOn(tx, widget, { ...asked, origin: admitted.value });
    if (!started.ok) return started;
    const { session, handle } = started.value;
    return done({
      sessionId: session.id,
      visitorId: session.visitorId,
      instanceId: session.instanceId,
      organizationId: session.organizationId,
      origin: session.origin,
      spendCap: visitorSpendCap.toString(),
      handle: handle.text,
      identified: session.identified,
      branding: wire,
    });
  });
}

async function goOn(
  tx: Tx,
  widget: Widget,
  asked: WidgetSessionRequest,
): Promise<Outcome<Started, SessionRefusal>> {
  const { origin, identity } = asked;
  const subjectHash = identity === undefined ? undefined : await subjectHashOf(identity, widget);
  if (identity !== undefined && subjectHash === undefined) return refuse('IDENTITY_INVALID');
  const visitorId = subjectHash && (await vouchedVisitor(tx, widget, subjectHash));
  const shown = asked.handle === undefined ? undefined : parseHandle(asked.handle);
  const held = shown && (await lockSession(tx, shown.familyHash));
  const passage = passageOf(held, {
    instanceId: widget.instanceId,
    origin,
    handleHash: shown?.hash,
    visitorId,
    now: new Date(),
  });
  switch (passage) {
    case 'NEW': {
      const { instanceId, organizationId } = widget;
      const visitor = { visitorId: visitorId ?? crypto.randomUUID(), identified: visitorId !== undefined };
      const handle = makeHandle();
      const session = await insertSession(tx, { organizationId, instanceId, origin, ...visitor }, handle);
      return done({ session, handle });
    }
    case 'ROTATE': {
      const rotationKey = randomBytes(32);
      const handle = nextHandle(shown!, rotationKey);
      await replaceHandle(tx, held!.id, { next: handle, rotationKey });
      return done({ session: held!, handle });
    }
    case 'REPEAT':
      return done({ session: held!, handle: nextHandle(shown!, (held as HeldSession).rotationKey!) });
    case 'REUSED':
      await revokeSession(tx, held!.id);
      return refuse('SESSION_REVOKED');
    case 'REVOKED':
      return refuse('SESSION_REVOKED');
  }
}
