import { randomBytes } from 'node:crypto';
import { systemScope } from '@agentstore/kernel/access';
import type { Tx } from '@agentstore/kernel/db/database';
import { addToOutbox } from '@agentstore/kernel/db/outbox';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { insertWorkspace, lockWorkspace, workspaceOf } from './organizations.store.ts';

/** Fact in the outbox: credits are to be granted; its payload is the body of billing's `POST /wallet/topup`. */
export const creditsGranted = 'CreditsGranted';

/**
 * A person's own workspace: an organization with them as owner, a project and trial credits, once, however many ask at the same time. The trial is
 * granted at once when billing answers, and by the relay otherwise; its key makes both together one grant.
 */
export async function makeWorkspace(
  room: Room,
  user: { id: Uuid; email: string },
): Promise<{ organizationId: Uuid; projectId: Uuid }> {
  const made = await room.db.transaction(systemScope('make-workspace'), (tx) =>
    ensureWorkspace(room, tx, user),
  );
  if (room.trial.credits > 0n)
    await room.billing
      .call('POST', '/wallet/topup', trialGrant(room, made.organizationId), { deadlineMs: 3_000 })
      .catch((error: unknown) => room.log.warn({ err: error }, 'trial credits follow by the relay'));
  return made;
}

/** The same inside a transaction of the caller's; the trial then comes by the relay alone. */
export async function ensureWorkspace(
  room: Room,
  tx: Tx,
  user: { id: Uuid; email: string },
): Promise<{ organizationId: Uuid; projectId: Uuid }> {
  await lockWorkspace(tx, user.id);
  const existing = await workspaceOf(tx, user.id);
  if (existing) return existing;
  const name = user.email.split('@')[0] || 'workspace';
  const slug = `${
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 30) || 'org'
  }-${randomBytes(4).toString('hex')}`;
  const made = await insertWorkspace(tx, { userId: user.id, slug, name });
  if (room.trial.credits > 0n)
    await addToOutbox(tx, {
      topic: creditsGranted,
      key: made.organizationId,
      payload: trialGrant(room, made.organizationId),
    });
  return made;
}

const trialGrant = ({ trial }: Room, organizationId: Uuid) => ({
  organizationId,
  credits: trial.credits.toString(),
  kind: 'TRIAL',
  key: `trial:${organizationId}`,
  expiresAfterDays: trial.days,
});
