import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Role } from '@agentstore/kernel/permissions';

/** Roles that can be given; an organization's owner is who made it. */
export type InvitedRole = Exclude<Role, 'OWNER'>;

/** The person with this verified e-mail, oldest account first. */
export async function userByEmail(tx: Tx, email: string): Promise<{ id: Uuid } | undefined> {
  const [row] = await tx.sql<{ id: Uuid }>(
    '-- userByEmail\n select id from users where lower(email) = lower($1) and email_verified order by id limit 1',
    [email],
  );
  return row;
}

/** Undefined when they belong there already, in whatever role. */
export async function insertMembership(
  tx: Tx,
  member: { organizationId: Uuid; userId: Uuid; role: InvitedRole },
): Promise<{ userId: Uuid } | undefined> {
  const [row] = await tx.sql<{ userId: Uuid }>(
    `-- insertMembership
     insert into membership (organization_id, user_id, role) values ($1, $2, $3) on conflict do nothing returning user_id as "userId"`,
    [member.organizationId, member.userId, member.role],
  );
  return row;
}

/** Asks somebody who has never signed in; asking again changes the role that waits for them. */
export async function putInvitation(
  tx: Tx,
  invitation: { organizationId: Uuid; email: string; role: InvitedRole },
): Promise<void> {
  await tx.sql(
    `-- putInvitation
     insert into invitation (organization_id, email, role, invited_by) values ($1, lower($2), $3, $4)
     on conflict (organization_id, email) do update set role = excluded.role, invited_by = excluded.invited_by, created_at = now(), accepted_by = null`,
    [invitation.organizationId, invitation.email, invitation.role, tx.scope.actor],
  );
}

/** Makes a person a member wherever their verified e-mail was invited. Cheap when it was nowhere. */
export async function acceptInvitations(tx: Tx, user: { id: Uuid; email: string }): Promise<void> {
  await tx.sql(
    `-- acceptInvitations
     with open as (
       update invitation set accepted_by = $1 where email = lower($2) and accepted_by is null returning organization_id, role
     )
     insert into membership (organization_id, user_id, role) select organization_id, $1, role from open on conflict do nothing`,
    [user.id, user.email],
  );
}
