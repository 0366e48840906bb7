import { AccessError } from '@agentstore/kernel/access';
import { problemResponse } from '@agentstore/kernel/http/problem';
import type { Deps } from '../deps.ts';
import { claimsOf, verifyAccessToken } from './verify-user-token.ts';

/**
 * The `user_info_url` of Saleor's OpenID Connect plugin. The plugin checks neither issuer nor audience nor a verified e-mail, so this endpoint does, with
 * the very token Saleor was sent; and it says nothing about Saleor's own staff, whom the plugin would demote. Stateless.
 */
export async function userInfo(
  deps: Pick<Deps, 'issuer' | 'staffEmails'>,
  request: Request,
): Promise<Response> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  try {
    if (!token) throw new AccessError('UNAUTHENTICATED', 'Send the access token as a bearer.');
    const claims = claimsOf(await verifyAccessToken(deps.issuer, token));
    if (!claims?.emailVerified)
      return problemResponse({
        status: 403,
        code: 'EMAIL_NOT_VERIFIED',
        title: 'The token carries no verified e-mail.',
      });
    const email = claims.email.toLowerCase();
    if (isStaff(email, deps.staffEmails))
      return problemResponse({
        status: 403,
        code: 'STAFF_EMAIL',
        title: 'Staff sign in to the shop by its own means.',
      });
    return Response.json(
      {
        sub: claims.subject,
        email,
        email_verified: true,
        given_name: claims.givenName ?? '',
        family_name: claims.familyName ?? '',
      },
      { headers: { 'cache-control': 'no-store' } },
    );
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    return problemResponse(
      { status: 401, code: error.code, title: error.message },
      { 'www-authenticate': 'Bearer error="invalid_token"' },
    );
  }
}

/** By address, or by domain for an entry that begins with `@`. Both in lower case. */
const isStaff = (email: string, staff: readonly string[]): boolean =>
  staff.some((entry) => (entry.startsWith('@') ? email.endsWith(entry) : email === entry));
