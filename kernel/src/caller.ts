import { z } from 'zod';
import { permissions, roles } from './permissions.ts';

const membership = z.object({ organizationId: z.uuid(), role: z.enum(roles) });

/**
 * Who is asking. The edge decides it once (router: OIDC token, API key; a service: client credentials) and signs it into the internal
 * token, from which each subgraph reads it again. The schema is the wire form of the token's `caller` claim.
 */
export const callerSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ANONYMOUS') }),
  z.object({
    kind: z.literal('USER'),
    userId: z.uuid(),
    /** `sub` at the identity provider. */
    subject: z.string(),
    email: z.string(),
    emailVerified: z.boolean(),
    displayName: z.string().optional(),
    /** Global id of the same person in Saleor (`VXNlcjo0Mg==`), once known. */
    saleorUserId: z.string().optional(),
    memberships: z.array(membership),
    /** Staff of the store itself: may see and mend what no organization owns. */
    operator: z.boolean(),
  }),
  z.object({
    kind: z.literal('API_KEY'),
    apiKeyId: z.uuid(),
    organizationId: z.uuid(),
    scopes: z.array(z.enum(permissions)),
  }),
  z.object({ kind: z.literal('SERVICE'), serviceId: z.string(), scopes: z.array(z.enum(permissions)) }),
]);

export type Caller = z.infer<typeof callerSchema>;
export type UserCaller = Extract<Caller, { kind: 'USER' }>;
export type Membership = z.infer<typeof membership>;

/** Nobody in particular. */
export const anonymous: Caller = { kind: 'ANONYMOUS' };

/** The name under which an act of this caller is recorded (commits, timelines, audit): never an e-mail address. */
export function actorOf(caller: Caller): string {
  switch (caller.kind) {
    case 'ANONYMOUS':
      return 'anonymous';
    case 'USER':
      return `user:${caller.userId}`;
    case 'API_KEY':
      return `api-key:${caller.apiKeyId}`;
    case 'SERVICE':
      return `service:${caller.serviceId}`;
  }
}
