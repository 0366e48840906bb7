import { isDeepStrictEqual } from 'node:util';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors as jose,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import { newCustomer } from './accounts.ts';
import { anonymous, type OidcPlugin } from './context.ts';
import { internalError } from './errors.ts';
import { isPermission, type Permission } from './permissions.ts';
import type { PluginRecord, UserRecord } from './records.ts';
import { inTransaction, openStore, type Store } from './store.ts';
import { asUser, permissionsOf } from './tokens.ts';

/** The plugin's id in Saleor. */
export const oidcPluginId = 'mirumee.authentication.openidconnect';

const hour = 3_600_000;
const issuerDeadlineMs = 18_000;

interface UserInfo {
  readonly sub: string;
  readonly email: string;
  readonly given_name?: string;
  readonly family_name?: string;
}

/**
 * Saleor's way, quirks included: keys are cached for an hour and kept when the configuration changes; a token they cannot decode is taken
 * for an opaque one and left to userinfo; an expired one is anonymous; userinfo answers are cached until `exp` (opaque: an hour), refusals
 * never. A customer is found by `sub`, then by e-mail (letter case counts), else made.
 */
export function createOidcPlugin(deps: { database: Database; log: Log; now: () => Date }): OidcPlugin {
  let keys: { jwks: JSONWebKeySet; until: number } | undefined;
  const answers = new Map<string, { info: UserInfo; until: number }>();
  const store = openStore(deps.database);

  async function jwks(url: string): Promise<JSONWebKeySet | undefined> {
    if (keys && keys.until > deps.now().getTime()) return keys.jwks;
    const fetched = await getJson<JSONWebKeySet>(url);
    keys = fetched && { jwks: fetched, until: deps.now().getTime() + hour };
    return fetched;
  }

  async function userInfo(url: string, token: string, until: number): Promise<UserInfo | undefined> {
    const known = answers.get(token);
    if (known && known.until > deps.now().getTime()) return known.info;
    const info = await getJson<UserInfo>(url, token);
    if (info?.email) {
      if (answers.size > 10_000) answers.clear();
      answers.set(token, { info, until });
    }
    return info;
  }

  async function getJson<T>(url: string, token?: string): Promise<T | undefined> {
    try {
      const answer = await fetch(url, {
        headers: token ? { authorization: `Bearer ${token}` } : {},
        redirect: 'manual',
        signal: AbortSignal.timeout(issuerDeadlineMs),
      });
      if (answer.status === 200) return (await answer.json()) as T;
      await answer.body?.cancel();
      deps.log.debug({ url, status: answer.status }, 'the issuer refused');
    } catch (error) {
      deps.log.warn({ err: error, url }, 'the issuer did not answer');
    }
    return undefined;
  }

  return {
    clearCaches() {
      keys = undefined;
      answers.clear();
    },
    async authenticate(token) {
      store.forget();
      const plugin = await store.get('Plugin', oidcPluginId);
      const keysUrl = plugin?.configuration['json_web_key_set_url'];
      const infoUrl = plugin?.configuration['user_info_url'];
      if (!plugin?.active || !keysUrl || !infoUrl) return anonymous;
      const keySet = await jwks(keysUrl);
      if (!keySet) return anonymous;
      const decoded = await decode(token, keySet, deps.now());
      if (decoded === 'expired') return anonymous;
      const until = decoded?.exp ? decoded.exp * 1000 : deps.now().getTime() + hour;
      const info = await userInfo(infoUrl, token, until);
      if (!info?.sub || !info.email) return anonymous;
      const standing = decoded ? standingOf(plugin, decoded, info.email) : undefined;
      const user = await matchCustomer(deps.database, { infoUrl, info, standing, now: deps.now() });
      return user.isActive ? asUser(user, standing?.permissions ?? permissionsOf(user)) : anonymous;
    },
  };
}

async function decode(
  token: string,
  jwks: JSONWebKeySet,
  now: Date,
): Promise<JWTPayload | 'expired' | undefined> {
  try {
    decodeProtectedHeader(token);
    return (await jwtVerify(token, createLocalJWKSet(jwks), { currentDate: now })).payload;
  } catch (error) {
    return error instanceof jose.JWTExpired ? 'expired' : undefined;
  }
}

/** What a decoded token says about being staff; `permissions` only where scopes decide them. */
interface Standing {
  readonly isStaff: boolean;
  readonly permissions?: ReadonlySet<Permission>;
}

function standingOf(plugin: PluginRecord, claims: JWTPayload, email: string): Standing {
  // The real plugin splits a claim that is not there, and every field that looks at the user fails.
  if (typeof claims['scope'] !== 'string') throw internalError('AttributeError');
  const domains = (plugin.configuration['staff_user_domains'] ?? '')
    .split(',')
    .map((domain) => domain.trim().toLowerCase());
  const byDomain = domains.includes(email.split('@')[1]?.toLowerCase() ?? '') && email.includes('@');
  const audience = plugin.configuration['audience'];
  const audiences = [claims.aud ?? []].flat();
  const scoped =
    plugin.configuration['use_oauth_scope_permissions'] === 'true' &&
    !!audience &&
    audiences.includes(audience);
  if (!scoped) return { isStaff: byDomain };
  const words = claims['scope']
    .split(' ')
    .filter((word) => word.startsWith('saleor:'))
    .map((word) => word.slice(7));
  const permissions = new Set(words.map((word) => word.toUpperCase()).filter(isPermission));
  return { isStaff: byDomain || words.includes('staff') || permissions.size > 0, permissions };
}

interface Match {
  readonly infoUrl: string;
  readonly info: UserInfo;
  readonly standing: Standing | undefined;
  readonly now: Date;
}

/** The account as it stands and as the answer of the issuer wants it; undefined when there is none. */
async function findCustomer(
  store: Store,
  match: Match,
): Promise<{ user: UserRecord; next: UserRecord } | undefined> {
  const { info } = match;
  const subjectKey = `oidc:${match.infoUrl}`;
  const [bySubject] = await store.sql<{ data: UserRecord }>(
    `-- bySubject
     select data from document where kind = 'User' and data -> 'privateMetadata' ->> $1 = $2`,
    [subjectKey, info.sub],
  );
  const [byEmail] = await store.find('User', 'email', info.email);
  const user = bySubject?.data ?? byEmail;
  if (!user) return undefined;
  if (!user.isActive) return { user, next: user };
  const next: UserRecord = {
    ...user,
    // An address that belongs to another account is left to it.
    email: byEmail && byEmail.pk !== user.pk ? user.email : info.email,
    firstName: info.given_name ?? user.firstName,
    lastName: info.family_name ?? user.lastName,
    isConfirmed: true,
    isStaff: match.standing?.isStaff ?? user.isStaff,
    privateMetadata: { ...user.privateMetadata, [subjectKey]: info.sub },
  };
  return { user, next };
}

const unchanged = ({ user, next }: { user: UserRecord; next: UserRecord }): boolean =>
  isDeepStrictEqual(user, next);

/** Finds, updates or makes the customer; writes only when something changes. */
async function matchCustomer(database: Database, match: Match): Promise<UserRecord> {
  const known = await findCustomer(openStore(database), match);
  if (known && unchanged(known)) return known.user;
  return inTransaction(database, async (tx) => {
    // Parallel first requests of one person must not make two accounts.
    await tx.sql('-- matchCustomer\n select pg_advisory_xact_lock(hashtext($1))', [
      `oidc:${match.info.email}`,
    ]);
    if (!(await findCustomer(tx, match))) await newCustomer(tx, { email: match.info.email, now: match.now });
    const found = (await findCustomer(tx, match))!;
    if (!unchanged(found)) await tx.put('User', { ...found.next, updatedAt: match.now.toISOString() });
    return found.next;
  });
}
