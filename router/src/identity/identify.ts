import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AccessError } from '@agentstore/kernel/access';
import { anonymous, type Caller, type Membership } from '@agentstore/kernel/caller';
import { ServiceError } from '@agentstore/kernel/http/client';
import type { Permission } from '@agentstore/kernel/permissions';
import type { Deps } from '../deps.ts';
import { createVisitorIdentifier, isWidgetToken, requireOwnSite } from '../widget/identify-visitor.ts';
import { verifyUserToken, type UserClaims } from './verify-user-token.ts';

/** Who sent a request, and what goes on to whom. */
export interface Identity {
  readonly caller: Caller;
  /** A signed-in person's own token, for Saleor and nobody else. */
  readonly userToken?: string | undefined;
  /** When the caller's credential ends, in Unix milliseconds; a subscription ends with it. */
  readonly expiresAt?: number | undefined;
}

/** Resolves credentials into callers. */
export interface Identifier {
  /**
   * From the value of an authorization header; null or undefined is nobody. What is found out is kept for some seconds, and shared by all who ask
   * meanwhile; a refusal is not kept. `anew` asks again unless that was only just done. `origin` is the request's header: a visitor is one only on their
   * own site. Throws UNAUTHENTICATED.
   */
  identify(
    authorization: string | null | undefined,
    options?: { readonly anew?: boolean; readonly origin?: string | null | undefined },
  ): Promise<Identity>;
  /** Forgets what is kept of a credential: after a mutation of its caller, a new membership must be seen at once. */
  forget(authorization: string | null | undefined): void;
}

interface Resolved {
  readonly userId: string;
  readonly saleorUserId: string | null;
  readonly memberships: Membership[];
}

const membershipsMs = 5_000;
/** How many memberships go on to subgraphs, in a token of some 30 bytes each: what others put somebody into must not make their requests too large. */
const mostMemberships = 300;
const apiKeyMs = 30_000;
const visitorMs = 5_000;
/** What was asked so shortly ago is new: a caller's streams are looked at together. */
const anewMs = 500;

export function createIdentifier(deps: Deps): Identifier {
  const known = new LRUCache<
    string,
    { readonly identity: Promise<Identity>; readonly since: number; until: number }
  >({ max: 10_000 });
  const learning = new Set<string>();
  const ofVisitor = createVisitorIdentifier(deps);

  async function ofUser(token: string): Promise<Identity> {
    const claims = await verifyUserToken(deps.issuer, token);
    const resolved = await deps.controlPlane.call<Resolved>(
      'POST',
      '/internal/callers:resolve',
      {
        issuer: deps.issuer.url,
        subject: claims.subject,
        email: claims.email,
        emailVerified: claims.emailVerified,
        ...(claims.name ? { displayName: claims.name } : {}),
      },
      { deadlineMs: 3_000, retries: 1 },
    );
    if (!resolved.saleorUserId && claims.emailVerified) void learnSaleorUser(token, resolved.userId);
    if (resolved.memberships.length > mostMemberships)
      deps.log.warn(
        { userId: resolved.userId, memberships: resolved.memberships.length },
        'too many memberships',
      );
    return { caller: callerOf(claims, resolved), userToken: token, expiresAt: claims.expiresAt * 1_000 };
  }

  async function ofApiKey(key: string): Promise<Identity> {
    try {
      const { apiKeyId, organizationId, scopes } = await deps.controlPlane.call<{
        apiKeyId: string;
        organizationId: string;
        scopes: Permission[];
      }>('POST', '/internal/api-keys:verify', { key }, { deadlineMs: 3_000, retries: 1 });
      return { caller: { kind: 'API_KEY', apiKeyId, organizationId, scopes } };
    } catch (error) {
      if (error instanceof ServiceError && error.status === 401)
        throw new AccessError('UNAUTHENTICATED', 'The API key is unknown, revoked or expired.');
      throw error;
    }
  }

  /** The person's id in Saleor, asked once with their own token, so that orders find their buyer. Tried again with a later request when it fails. */
  async function learnSaleorUser(token: string, userId: string): Promise<void> {
    if (learning.has(userId)) return;
    learning.add(userId);
    try {
      const answer = await fetch(deps.saleorApiUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: '{ me { id } }' }),
        signal: AbortSignal.timeout(5_000),
      });
      const saleorUserId = ((await answer.json()) as { data?: { me?: { id: string } | null } }).data?.me?.id;
      if (saleorUserId)
        await deps.controlPlane.call('PUT', `/internal/users/${userId}/saleor-user`, { saleorUserId });
    } catch (error) {
      deps.log.debug({ err: error }, "a person's shop id is not known yet");
    } finally {
      learning.delete(userId);
    }
  }

  async function identityOf(token: string, anew: boolean): Promise<Identity> {
    const key = keyOf(token);
    const held = known.get(key);
    const now = Date.now();
    if (held && held.until > now && (!anew || held.since + anewMs > now)) return held.identity;
    const [identity, keptMs] = token.startsWith('ask_')
      ? [ofApiKey(token), apiKeyMs]
      : isWidgetToken(token)
        ? [ofVisitor(token), visitorMs]
        : [ofUser(token), membershipsMs];
    const entry = { identity, since: now, until: now + keptMs };
    known.set(key, entry);
    try {
      const found = await identity;
      entry.until = Math.min(entry.until, found.expiresAt ?? Infinity);
      return found;
    } catch (error) {
      if (known.get(key) === entry) known.delete(key);
      throw error;
    }
  }

  return {
    async identify(authorization, { anew = false, origin } = {}) {
      if (!authorization) return { caller: anonymous };
      const token = bearerOf(authorization);
      if (!token) throw new AccessError('UNAUTHENTICATED', 'The authorization header is not a bearer token.');
      const identity = await identityOf(token, anew);
      requireOwnSite(identity.caller, origin);
      return identity;
    },
    forget(authorization) {
      const token = authorization && bearerOf(authorization);
      if (token) known.delete(keyOf(token));
    },
  };
}

const bearerOf = (authorization: string): string | undefined =>
  /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];

/** Credentials are not kept in memory as keys of a map. */
const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64');

const callerOf = (claims: UserClaims, resolved: Resolved): Caller => ({
  kind: 'USER',
  userId: resolved.userId,
  subject: claims.subject,
  email: claims.email,
  emailVerified: claims.emailVerified,
  ...(claims.name ? { displayName: claims.name } : {}),
  ...(resolved.saleorUserId ? { saleorUserId: resolved.saleorUserId } : {}),
  memberships: nearest(resolved.memberships),
  operator: claims.roles.includes('operator'),
});

/** As many memberships as are taken: what somebody owns first, else the oldest, which nobody can push out by inviting them. */
const nearest = (memberships: Membership[]): Membership[] =>
  memberships.length <= mostMemberships
    ? memberships
    : memberships
        .toSorted((a, b) => Number(b.role === 'OWNER') - Number(a.role === 'OWNER'))
        .slice(0, mostMemberships);
