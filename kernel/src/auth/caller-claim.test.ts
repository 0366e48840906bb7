import { expect, it } from 'vitest';
import { uuidv7 } from '../ids.ts';
import { roles } from '../permissions.ts';
import { widgetCaller } from '../testing/callers.ts';
import { callerClaim, callerOfClaim } from './caller-claim.ts';

const person = {
  kind: 'USER',
  userId: uuidv7(),
  subject: 's',
  email: 'a@b.test',
  emailVerified: true,
  memberships: roles.map((role) => ({ organizationId: uuidv7(), role })),
  operator: false,
} as const;

it.each([
  ['a person with every role', person],
  ['a person who belongs nowhere', { ...person, memberships: [] }],
  ['an API key', { kind: 'API_KEY', apiKeyId: uuidv7(), organizationId: uuidv7(), scopes: ['run:start'] }],
  ['a visitor', widgetCaller({ organizationId: uuidv7(), instanceId: uuidv7() })],
  ['nobody', { kind: 'ANONYMOUS' }],
] as const)('%s is the same after the way through a token', (_name, caller) =>
  expect(callerOfClaim(JSON.parse(JSON.stringify(callerClaim(caller as never))))).toEqual(caller),
);

it.each([['AQ'], ['CQAAAAAAAAAAAAAAAAAAAAA'], [5], [undefined]])(
  'memberships that are none are refused: %s',
  (memberships) => expect(() => callerOfClaim({ ...person, memberships })).toThrow(/memberships/),
);

it('a visitor of whom a router of before says nothing about tool steps is shown none', () => {
  const { showToolSteps: _unsaid, ...caller } = widgetCaller({
    organizationId: uuidv7(),
    instanceId: uuidv7(),
  });
  expect(callerOfClaim(caller)).toEqual({ ...caller, showToolSteps: false });
});
