import type { Scope } from '@agentstore/kernel/access';
import type { Uuid } from '@agentstore/kernel/ids';
import { acceptsOrigin } from '../branding/allowed-domain.ts';
import { brandingOf } from '../branding/brandings.store.ts';
import type { Room } from '../deps.ts';
import { parseHandle } from './handle.ts';
import { lockSession, revokeSession, sessionById } from './widget-sessions.store.ts';
import { admission, refuse, sessionFault, type SessionRefusal } from './widget-session.ts';
import { widgetOf } from './widgets.store.ts';

/** Why a session may not go on; undefined while it may. */
export const checkSession = (
  { db, branding }: Room,
  scope: Scope,
  sessionId: Uuid,
): Promise<SessionRefusal | undefined> =>
  db.transaction(scope, async (tx) => {
    const session = await sessionById(tx, sessionId);
    if (!session) return refuse('SESSION_REVOKED').error;
    const { allowedDomains } = await brandingOf(tx, session.instanceId, branding);
    const widget = await widgetOf(tx, session.instanceId);
    return sessionFault(
      session,
      admission(widget, acceptsOrigin(allowedDomains, session.origin)),
      new Date(),
    );
  });

/** Ends the session of a handle, of whatever age; there may be none. */
export async function endSession({ db }: Room, scope: Scope, handle: string): Promise<void> {
  const shown = parseHandle(handle);
  if (!shown) return;
  await db.transaction(scope, async (tx) => {
    const held = await lockSession(tx, shown.familyHash);
    if (held) await revokeSession(tx, held.id);
  });
}
