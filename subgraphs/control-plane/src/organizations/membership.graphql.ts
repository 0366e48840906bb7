import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId } from '@agentstore/kernel/ids';
import type { Refusal } from '@agentstore/kernel/outcome';
import { builder } from '../builder.ts';
import { inviteMember } from './invite-member.ts';
import { MembershipType, RoleEnum } from './organization.graphql.ts';
import type { Member } from './organizations.store.ts';

const MembershipError = refusalType(builder, 'Membership', {
  ORGANIZATION_NOT_FOUND: 'No such organization, or the caller does not belong there.',
  ALREADY_MEMBER: 'The person belongs to the organization already.',
  INVALID_INPUT: 'A value of the input is not usable.',
});
interface Payload {
  readonly membership: Member | null;
  readonly invited: boolean;
  readonly errors: readonly Refusal[];
}
const MembershipPayload = builder.objectRef<Payload>('MembershipPayload').implement({
  description: 'What became of a command on a membership.',
  fields: (t) => ({
    membership: t.expose('membership', {
      type: MembershipType,
      nullable: true,
      description: 'The membership; null while the person has yet to sign in.',
    }),
    invited: t.exposeBoolean('invited', {
      description:
        'Nobody has signed in with that e-mail yet: they join when they first do, once it is verified.',
    }),
    errors: t.field({
      type: [MembershipError],
      description: 'Why it was refused.',
      resolve: ({ errors }) => [...errors],
    }),
  }),
});

const MemberInviteInput = builder.inputType('MemberInviteInput', {
  description: 'Whom to ask into an organization.',
  fields: (t) => ({
    organizationId: t.id({ description: 'Into which organization.' }),
    email: t.string({ description: 'Their e-mail.' }),
    role: t.field({ type: RoleEnum, description: 'As what; OWNER cannot be given.' }),
  }),
});
builder.mutationField('memberInvite', (t) =>
  t.field({
    type: MembershipPayload,
    description:
      'Makes a person a member of an organization, now or at their first sign-in. Needs member:manage.',
    args: { input: t.arg({ type: MemberInviteInput, description: 'Whom.' }) },
    resolve: async (
      _root,
      { input: { organizationId, email, role } },
      { deps, caller },
    ): Promise<Payload> => {
      const refuse = (error: Refusal): Payload => ({ membership: null, invited: false, errors: [error] });
      if (role === 'OWNER')
        return refuse({ code: 'INVALID_INPUT', message: 'The role OWNER cannot be given.', field: 'role' });
      const outcome = await inviteMember(deps, caller, {
        organizationId: fromGlobalId('Organization', organizationId),
        email,
        role,
      });
      return outcome.ok
        ? { membership: outcome.value, invited: outcome.value === null, errors: [] }
        : refuse(outcome.error);
    },
  }),
);
