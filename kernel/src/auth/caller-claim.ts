import { callerSchema, type Caller, type Membership } from '../caller.ts';
import type { Role } from '../permissions.ts';

/** The byte that stands for a role in a token; never given to another role. */
const roleBytes: Readonly<Record<Role, number>> = {
  OWNER: 1,
  ADMIN: 2,
  BILLING: 3,
  DEVELOPER: 4,
  MEMBER: 5,
  VIEWER: 6,
};
const roleOf = new Map(Object.entries(roleBytes).map(([role, byte]) => [byte, role]));
const membershipBytes = 17;

/**
 * A caller as an internal token carries them. Memberships are one string of 17 bytes each (role, organization): a person may have hundreds, and a token has
 * to fit into a header.
 */
export const callerClaim = (caller: Caller): object =>
  caller.kind === 'USER' ? { ...caller, memberships: packed(caller.memberships) } : caller;

/** The caller of a verified token. Throws for a claim that is none. */
export function callerOfClaim(claim: unknown): Caller {
  const { memberships } = (claim ?? {}) as { memberships?: unknown };
  return callerSchema.parse(
    typeof memberships === 'string' ? { ...(claim as object), memberships: unpacked(memberships) } : claim,
  );
}

const packed = (memberships: readonly Membership[]): string =>
  Buffer.concat(
    memberships.flatMap(({ organizationId, role }) => [
      Buffer.of(roleBytes[role]),
      Buffer.from(organizationId.replaceAll('-', ''), 'hex'),
    ]),
  ).toString('base64url');

function unpacked(text: string): object[] {
  const bytes = Buffer.from(text, 'base64url');
  return Array.from({ length: Math.ceil(bytes.length / membershipBytes) }, (_, index) => {
    const one = bytes.subarray(index * membershipBytes, (index + 1) * membershipBytes);
    const organizationId = one
      .toString('hex', 1)
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { organizationId, role: roleOf.get(one[0]!) };
  });
}
