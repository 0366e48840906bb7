import { describe, expect, it } from 'vitest';
import { AccessError, callerScope, operatorScope, organizationScope, serviceScope } from './access.ts';
import { anonymous, type Caller } from './caller.ts';
import { uuidv7 } from './ids.ts';
import { apiKeyScopes, permissions, permissionsOfRole, roles } from './permissions.ts';

const ours = uuidv7();
const theirs = uuidv7();
const user = (role: (typeof roles)[number], operator = false): Caller => ({
  kind: 'USER',
  userId: uuidv7(),
  subject: 's',
  email: 'a@b.test',
  emailVerified: true,
  memberships: [{ organizationId: ours, role }],
  operator,
});
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'allowed';
  } catch (error) {
    return error instanceof AccessError ? error.code : 'other';
  }
};

describe('scopes', () => {
  it('gives a member with the permission the scope of that organization alone', () => {
    expect(organizationScope(user('OWNER'), ours, 'instance:terminate')?.organizations).toEqual([ours]);
  });

  it('hides another organization instead of saying it is forbidden', () => {
    expect(organizationScope(user('OWNER'), theirs, 'instance:read')).toBeUndefined();
    const key: Caller = {
      kind: 'API_KEY',
      apiKeyId: uuidv7(),
      organizationId: theirs,
      scopes: ['run:start'],
    };
    expect(organizationScope(key, ours, 'run:start')).toBeUndefined();
  });

  it('says FORBIDDEN inside the organization without the permission, UNAUTHENTICATED to nobody', () => {
    expect(codeOf(() => organizationScope(user('VIEWER'), ours, 'run:start'))).toBe('FORBIDDEN');
    expect(codeOf(() => organizationScope(anonymous, ours, 'run:read'))).toBe('UNAUTHENTICATED');
    expect(codeOf(() => callerScope(anonymous, 'run:read'))).toBe('UNAUTHENTICATED');
  });

  it('never gives a user or a key the scope of everything', () => {
    expect(codeOf(() => serviceScope(user('OWNER', true), 'billing:settle'))).toBe('FORBIDDEN');
    expect(codeOf(() => operatorScope(user('OWNER')))).toBe('FORBIDDEN');
    expect(callerScope(user('VIEWER'), 'run:start').organizations).toEqual([]);
  });

  it('gives a service only what its scopes say', () => {
    const billing: Caller = { kind: 'SERVICE', serviceId: 'runner', scopes: ['billing:settle'] };
    expect(serviceScope(billing, 'billing:settle').organizations).toBe('ALL');
    expect(codeOf(() => serviceScope(billing, 'wallet:topup'))).toBe('FORBIDDEN');
  });
});

describe('the permission map', () => {
  it('uses only known words, and no role or key reaches between services', () => {
    const internal = permissions.slice(permissions.indexOf('callers:resolve'));
    for (const role of roles)
      for (const word of permissionsOfRole[role]) expect(internal).not.toContain(word);
    for (const word of apiKeyScopes) expect(internal).not.toContain(word);
  });
});
