import type { Caller } from './caller.ts';
import type { Uuid } from './ids.ts';
import { permissionsOfRole, visitorPermissions, type Permission } from './permissions.ts';

/** `allowed`: holds the permission there; `inside`: belongs there without it; `outside`: does not belong there. */
export type Standing = 'allowed' | 'inside' | 'outside';

/** The one place that decides what a caller is in an organization. */
export function callerIsIn(caller: Caller, organizationId: Uuid, permission: Permission): Standing {
  switch (caller.kind) {
    case 'ANONYMOUS':
      return 'outside';
    case 'SERVICE':
      return caller.scopes.includes(permission) ? 'allowed' : 'inside';
    case 'API_KEY':
      if (caller.organizationId !== organizationId) return 'outside';
      return caller.scopes.includes(permission) ? 'allowed' : 'inside';
    case 'WIDGET_SESSION':
      if (caller.organizationId !== organizationId) return 'outside';
      return visitorPermissions.includes(permission) ? 'allowed' : 'inside';
    case 'USER': {
      const membership = caller.memberships.find((m) => m.organizationId === organizationId);
      if (!membership) return 'outside';
      return permissionsOfRole[membership.role].includes(permission) ? 'allowed' : 'inside';
    }
  }
}

/** True when the caller holds the permission in that organization. */
export const mayIn = (caller: Caller, organizationId: Uuid, permission: Permission): boolean =>
  callerIsIn(caller, organizationId, permission) === 'allowed';
