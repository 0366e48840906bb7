import { z } from 'zod';
import { permissions, roles } from './permissions.ts';

const membership = z.object({ organizationId: z.uuid(), role: z.enum(roles) });

/**
 * Who is asking. The edge decides it once (router: OIDC token, API key, widget token; a service: client credentials) and signs it into the internal
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
  z.object({
    /** A visitor of a site that carries the widget: may talk to one instance and sees what was said with it, nothing else. */
    kind: z.literal('WIDGET_SESSION'),
    sessionId: z.uuid(),
    visitorId: z.uuid(),
    instanceId: z.uuid(),
    organizationId: z.uuid(),
    /** The site, as a browser says it: scheme, host and port. */
    origin: z.string(),
    /** Most that the visitor's runs of the last 24 hours may be charged, in micro-credits. */
    spendCap: z.string().regex(/^\d{1,19}$/),
    /** Whether the visitor may see what tools the agent calls. */
    showToolSteps: z.boolean().default(false),
  }),
  z.object({ kind: z.literal('SERVICE'), serviceId: z.string(), scopes: z.array(z.enum(permissions)) }),
]);

export type Caller = z.infer<typeof callerSchema>;
export type UserCaller = Extract<Caller, { kind: 'USER' }>;
export type WidgetCaller = Extract<Caller, { kind: 'WIDGET_SESSION' }>;
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
    case 'WIDGET_SESSION':
      return `visitor:${caller.visitorId}`;
    case 'SERVICE':
      return `service:${caller.serviceId}`;
  }
}
