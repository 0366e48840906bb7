import { AccessError, organizationScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { insertMembership, putInvitation, userByEmail, type InvitedRole } from './invitations.store.ts';
import { memberOf, type Member } from './organizations.store.ts';

export type MembershipRefusal = Refusal & {
  readonly code: 'ORGANIZATION_NOT_FOUND' | 'ALREADY_MEMBER' | 'INVALID_INPUT';
};

const email = /^[^\s@]{1,64}@[^\s@]{1,190}$/;

/**
 * Makes the person with this verified e-mail a member at once; when nobody has signed in with it yet, an invitation waits for their first sign-in
 * (the answer is null then).
 */
export async function inviteMember(
  { db }: Room,
  caller: Caller,
  input: { organizationId: Uuid | undefined; email: string; role: InvitedRole },
): Promise<Outcome<Member | null, MembershipRefusal>> {
  const { organizationId } = input;
  const scope = organizationId ? organizationScope(caller, organizationId, 'member:manage') : undefined;
  if (!scope || !organizationId)
    return refused({
      code: 'ORGANIZATION_NOT_FOUND',
      message: 'There is no such organization.',
      field: 'organizationId',
    });
  if (caller.kind === 'SERVICE') throw new AccessError('FORBIDDEN', 'Members are invited by people.');
  const address = input.email.trim();
  if (!email.test(address))
    return refused({ code: 'INVALID_INPUT', message: 'email must be an e-mail address.', field: 'email' });
  return db.transaction(scope, async (tx): Promise<Outcome<Member | null, MembershipRefusal>> => {
    const user = await userByEmail(tx, address);
    if (!user) {
      await putInvitation(tx, { organizationId, email: address, role: input.role });
      return done(null);
    }
    if (!(await insertMembership(tx, { organizationId, userId: user.id, role: input.role })))
      return refused({ code: 'ALREADY_MEMBER', message: 'They belong there already.', field: 'email' });
    return done((await memberOf(tx, organizationId, user.id))!);
  });
}
