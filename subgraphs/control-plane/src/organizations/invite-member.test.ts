import { beforeAll, expect, it } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { nowhere, startControlPlane, type ControlPlane, type Home } from '../testing/control-plane-app.ts';

let app: ControlPlane;
let home: Home;
beforeAll(async () => {
  app = await startControlPlane();
  home = await app.withWorkspace();
});

const mutation = `mutation ($input: MemberInviteInput!) { memberInvite(input: $input) {
  membership { email role organization { id } } invited errors { code field } } }`;
const invite = async (more: object, person = home.person) =>
  (
    await app.data<{ memberInvite: object }>(person, mutation, {
      input: { organizationId: home.organization, email: 'x@example.test', role: 'MEMBER', ...more },
    })
  ).memberInvite;
const address = () => `${uuidv7()}@example.test`;

it('makes somebody who has an account a member at once, and once', async () => {
  const other = await app.signIn();
  expect(await invite({ email: other.email.toUpperCase(), role: 'DEVELOPER' })).toEqual({
    membership: { email: other.email, role: 'DEVELOPER', organization: { id: home.organization } },
    invited: false,
    errors: [],
  });
  expect((await app.signIn({ subject: other.subject, email: other.email })).memberships).toEqual([
    { organizationId: home.organizationId, role: 'DEVELOPER' },
  ]);
  expect(await invite({ email: other.email, role: 'VIEWER' })).toMatchObject({
    membership: null,
    errors: [{ code: 'ALREADY_MEMBER', field: 'email' }],
  });
});

it('waits for the first sign-in with the verified e-mail, in the role asked last', async () => {
  const email = address();
  for (const role of ['ADMIN', 'BILLING'])
    expect(await invite({ email: ` ${email.toUpperCase()} `, role })).toEqual({
      membership: null,
      invited: true,
      errors: [],
    });
  expect((await app.signIn({ email, emailVerified: false })).memberships).toEqual([]);
  const joined = await app.signIn({ email });
  expect(joined.memberships).toEqual([{ organizationId: home.organizationId, role: 'BILLING' }]);
  // An invitation is taken up once: somebody removed does not come back with the next sign-in.
  await app.rows('delete from membership where user_id = $1', [joined.userId]);
  expect((await app.signIn({ subject: joined.subject, email })).memberships).toEqual([]);
});

it.each<[string, object, string]>([
  ['the role of the owner', { role: 'OWNER' }, 'INVALID_INPUT'],
  ['no e-mail', { email: 'nobody' }, 'INVALID_INPUT'],
  ['an organization of strangers', { organizationId: nowhere('Organization') }, 'ORGANIZATION_NOT_FOUND'],
])('refuses %s', async (_name, more, code) =>
  expect(await invite(more)).toMatchObject({ membership: null, invited: false, errors: [{ code }] }),
);

it('needs member:manage', async () => {
  const developer = await app.signIn();
  await invite({ email: developer.email, role: 'DEVELOPER' });
  const inside = await app.signIn({ subject: developer.subject, email: developer.email });
  expect(
    (
      await app.graph(inside, mutation, {
        input: { organizationId: home.organization, email: address(), role: 'MEMBER' },
      })
    ).errors,
  ).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});
