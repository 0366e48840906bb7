import { createHash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { decodeJwt, errors as jose, jwtVerify, SignJWT } from 'jose';
import type { Requestor, Shop } from './context.ts';
import { ShopError } from './errors.ts';
import { parseId, toId } from './global-id.ts';
import { allPermissions, type Permission } from './permissions.ts';
import type { UserRecord } from './records.ts';
import type { Store } from './store.ts';

const accessSeconds = 300;
const refreshSeconds = 30 * 24 * 3600;

/** Claims of a token that the shop signed for a user. */
export interface OwnClaims {
  readonly owner: string;
  readonly token: string;
  readonly email: string;
  readonly type: string;
  readonly user_id: string;
  readonly is_staff: boolean;
  readonly csrfToken?: string;
  readonly [claim: string]: unknown;
}

/** Signs an access (5 min) or refresh (30 d) token, claims as Saleor's. */
export function signUserToken(
  shop: Shop,
  user: UserRecord,
  options: { type: 'access' | 'refresh'; audience?: string; csrfToken?: string },
): Promise<string> {
  const now = Math.floor(shop.now().getTime() / 1000);
  const lifetime = options.type === 'access' ? accessSeconds : refreshSeconds;
  return new SignJWT({
    iat: now,
    owner: 'saleor',
    iss: shop.apiUrl,
    exp: now + lifetime,
    token: user.jwtKey,
    email: user.email,
    type: options.type,
    user_id: toId('User', user.pk),
    is_staff: user.isStaff,
    ...(options.audience ? { aud: `custom:${options.audience}` } : {}),
    ...(options.csrfToken ? { csrfToken: options.csrfToken } : {}),
  })
    .setProtectedHeader({ alg: 'RS256', kid: shop.key.kid, typ: 'JWT' })
    .sign(shop.key.privateKey);
}

/** True when the text is a JWT that says the shop itself made it, whether or not that holds. */
export function claimsToBeOwn(token: string): boolean {
  try {
    return decodeJwt(token)['owner'] === 'saleor';
  } catch {
    return false;
  }
}

/** Verifies an own token: signature, expiry, kind, and that the user still has the key it names. Throws what Saleor answers. */
export async function verifyUserToken(
  shop: Shop,
  store: Store,
  token: string,
  type: 'access' | 'refresh',
): Promise<{ user: UserRecord; claims: OwnClaims }> {
  let claims: OwnClaims;
  try {
    const verified = await jwtVerify(token, shop.key.publicKey, {
      algorithms: ['RS256'],
      currentDate: shop.now(),
    });
    claims = verified.payload as unknown as OwnClaims;
  } catch (error) {
    if (error instanceof jose.JWTExpired)
      throw new ShopError('Signature has expired', 'ExpiredSignatureError');
    throw new ShopError('Signature verification failed', 'InvalidSignatureError');
  }
  if (claims.type !== type)
    throw new ShopError('Invalid token. Create new one by using tokenCreate mutation.', 'InvalidTokenError');
  const id = parseId(claims.user_id);
  const user = id?.type === 'User' ? await store.get('User', id.pk) : undefined;
  if (!user?.isActive)
    throw new ShopError('Invalid token. User does not exist or is inactive.', 'InvalidTokenError');
  if (user.jwtKey !== claims.token)
    throw new ShopError('Invalid token. Create new one by using tokenCreate mutation.', 'InvalidTokenError');
  return { user, claims };
}

/** What a user may do by the permissions in its own row. */
export const permissionsOf = (user: UserRecord): ReadonlySet<Permission> =>
  new Set(user.isSuperuser ? allPermissions : user.permissions);

export const asUser = (user: UserRecord, permissions = permissionsOf(user)): Requestor => ({
  kind: 'user',
  user,
  permissions,
});

/** `length` letters and digits; app tokens have exactly 30. */
export function randomText(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  let text = '';
  while (text.length < length)
    for (const byte of randomBytes(64)) if (byte < 248 && text.length < length) text += alphabet[byte % 62];
  return text;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A salted scrypt hash of a password. */
export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  return `${salt.toString('hex')}:${scryptSync(password, salt, 32).toString('hex')}`;
}

export function passwordMatches(password: string, hash: string | null): boolean {
  const [salt, expected] = (hash ?? '').split(':');
  if (!salt || !expected) return false;
  return timingSafeEqual(scryptSync(password, Buffer.from(salt, 'hex'), 32), Buffer.from(expected, 'hex'));
}
