import { callerIsIn } from './access-rules.ts';
import { actorOf, type Caller, type WidgetCaller } from './caller.ts';
import { visitorPermissions, type Permission } from './permissions.ts';
import type { Uuid } from './ids.ts';

export type AccessCode = 'UNAUTHENTICATED' | 'FORBIDDEN';

/** Thrown, never returned: the caller is not known or may not do this. Becomes `extensions.code` in GraphQL, 401/403 in REST. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  readonly code: AccessCode;
  constructor(code: AccessCode, message: string) {
    super(message);
    this.code = code;
  }
}

declare const scopeBrand: unique symbol;

/** Which organizations' rows a unit of work may touch. Only this module makes one, so a store cannot be reached without it. */
export interface Scope {
  readonly organizations: readonly Uuid[] | 'ALL';
  /** Set: of these rows only what one visitor of a site said with one instance. Tables that know no visitors show it nothing. */
  readonly visitor?: { readonly instanceId: Uuid; readonly visitorId: Uuid };
  /** Who is behind it, for log and audit. */
  readonly actor: string;
  readonly [scopeBrand]: true;
}
const scope = (organizations: readonly Uuid[] | 'ALL', actor: string): Scope =>
  ({ organizations, actor }) as Scope;
const visitorScope = (caller: WidgetCaller): Scope => ({
  ...scope([caller.organizationId as Uuid], actorOf(caller)),
  visitor: { instanceId: caller.instanceId as Uuid, visitorId: caller.visitorId as Uuid },
});

export { mayIn as may } from './access-rules.ts';

/**
 * The scope of one organization for a caller that holds `permission` there. A caller of another organization gets undefined:
 * for them the row does not exist (answer NOT_FOUND). A caller inside it without the permission gets FORBIDDEN thrown.
 */
export function organizationScope(
  caller: Caller,
  organizationId: Uuid,
  permission: Permission,
): Scope | undefined {
  requireCaller(caller);
  const standing = callerIsIn(caller, organizationId, permission);
  if (standing === 'outside') return undefined;
  if (standing === 'inside') throw new AccessError('FORBIDDEN', `This needs the permission ${permission}.`);
  return caller.kind === 'WIDGET_SESSION' ? visitorScope(caller) : scope([organizationId], actorOf(caller));
}

/** The scope of every organization in which the caller holds `permission`; for lookups by a row's own id. */
export function callerScope(caller: Caller, permission: Permission): Scope {
  requireCaller(caller);
  if (caller.kind === 'SERVICE') return serviceScope(caller, permission);
  if (caller.kind === 'WIDGET_SESSION')
    return visitorPermissions.includes(permission) ? visitorScope(caller) : scope([], actorOf(caller));
  if (caller.kind === 'API_KEY')
    return scope(caller.scopes.includes(permission) ? [caller.organizationId] : [], actorOf(caller));
  const ids = caller.kind === 'USER' ? caller.memberships.map((m) => m.organizationId) : [];
  return scope(
    ids.filter((id) => callerIsIn(caller, id, permission) === 'allowed'),
    actorOf(caller),
  );
}

/** All organizations, for a service that was given `permission`. Throws FORBIDDEN for everybody else. */
export function serviceScope(caller: Caller, permission: Permission): Scope {
  requireCaller(caller);
  if (caller.kind !== 'SERVICE' || !caller.scopes.includes(permission))
    throw new AccessError('FORBIDDEN', `This needs a service with the permission ${permission}.`);
  return scope('ALL', actorOf(caller));
}

/** All organizations, for the staff of the store. */
export function operatorScope(caller: Caller): Scope {
  requireCaller(caller);
  if (caller.kind !== 'USER' || !caller.operator)
    throw new AccessError('FORBIDDEN', 'This is for operators of the store.');
  return scope('ALL', actorOf(caller));
}

/** All organizations, for our own background work (sweeps, relays) and for rows that no organization owns; `task` names it. */
export const systemScope = (task: string): Scope => scope('ALL', `system:${task}`);

/** A wider scope held down to one organization, for work that is done in its name; throws when that is not in it. */
export function narrowScope(wide: Scope, organizationId: Uuid): Scope {
  const { organizations, actor } = wide;
  if (organizations !== 'ALL' && !organizations.includes(organizationId))
    throw new Error('the scope does not hold the organization');
  return { ...wide, ...scope([organizationId], actor) };
}

/** The one organization of a scope, for a function in SQL that carries its own scope and takes the organization as an argument. */
export function onlyOrganization({ organizations }: Scope): Uuid {
  const [id] = organizations;
  if (organizations === 'ALL' || organizations.length !== 1 || !id)
    throw new Error('the scope is not of one organization');
  return id as Uuid;
}

/** Throws UNAUTHENTICATED for an anonymous caller. */
export function requireCaller(caller: Caller): asserts caller is Exclude<Caller, { kind: 'ANONYMOUS' }> {
  if (caller.kind === 'ANONYMOUS') throw new AccessError('UNAUTHENTICATED', 'Sign in or send an API key.');
}

/** Throws unless a person is asking. */
export function requireUser(caller: Caller): asserts caller is Extract<Caller, { kind: 'USER' }> {
  requireCaller(caller);
  if (caller.kind !== 'USER') throw new AccessError('FORBIDDEN', 'This needs a signed-in person.');
}
