/** Roles of a person in an organization, strongest first. */
export const roles = ['OWNER', 'ADMIN', 'BILLING', 'DEVELOPER', 'MEMBER', 'VIEWER'] as const;
export type Role = (typeof roles)[number];

/** Every permission word, once. A caller has it through a role, an API key's scopes or a service's scopes. */
export const permissions = [
  // in an organization
  'organization:read',
  'organization:manage',
  'member:manage',
  'api-key:manage',
  'instance:read',
  'instance:create',
  'instance:configure',
  'instance:pause',
  'instance:terminate',
  'offering:publish',
  'order:buy-for',
  'wallet:read',
  'run:read',
  'run:start',
  'run:cancel',
  'connector:manage',
  'audit:read',
  'knowledge:read',
  'knowledge:manage',
  // between services
  'callers:resolve',
  'widget:session',
  'instance:provision',
  'instance:entitlements',
  'order:grant',
  'gitops:write',
  'gitops:observe',
  'applied:read',
  'billing:authorize',
  'billing:settle',
  'billing:rate',
  'wallet:topup',
  'run:execute',
  'run:tool',
  'connector:read',
  'knowledge:search',
  // staff of the store
  'operator:read',
] as const;
export type Permission = (typeof permissions)[number];

const read: readonly Permission[] = [
  'organization:read',
  'instance:read',
  'wallet:read',
  'run:read',
  'knowledge:read',
];
const member: readonly Permission[] = [...read, 'run:start', 'run:cancel'];
const developer: readonly Permission[] = [
  ...member,
  'instance:create',
  'instance:configure',
  'instance:pause',
  'offering:publish',
  'connector:manage',
  'audit:read',
  'knowledge:manage',
];
const billing: readonly Permission[] = [...read, 'order:buy-for'];
const admin: readonly Permission[] = [
  ...developer,
  'order:buy-for',
  'organization:manage',
  'member:manage',
  'api-key:manage',
  'instance:terminate',
];

/** What each role may do in its organization. */
export const permissionsOfRole: Readonly<Record<Role, readonly Permission[]>> = {
  OWNER: admin,
  ADMIN: admin,
  BILLING: billing,
  DEVELOPER: developer,
  MEMBER: member,
  VIEWER: read,
};

/** What an API key may be given: never more than a developer has. */
export const apiKeyScopes: readonly Permission[] = developer;

/** What a visitor of a site with the widget may do, with the one instance of its session and in the visitor's own name. */
export const visitorPermissions: readonly Permission[] = ['run:read', 'run:start', 'run:cancel'];
