import { AccessError } from '@agentstore/kernel/access';
import { problemResponse } from '@agentstore/kernel/http/problem';
import type { Deps } from '../deps.ts';
import { verifyUserToken } from './verify-user-token.ts';

/**
 * The `user_info_url` of Saleor's OpenID Connect plugin. The plugin checks neither issuer nor audience nor a verified e-mail, so this endpoint does, with
 * the very token Saleor was sent; and it says nothing about Saleor's own staff, whom the plugin would demote. Stateless.
 */
export async function userInfo(deps: Deps, request: Request): Promise<Response> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  try {
    if (!token) throw new AccessError('UNAUTHENTICATED', 'Send the access token as a bearer.');
    const claims = await verifyUserToken(deps.issuer, token);
    const email = claims.email.toLowerCase();
    if (!claims.emailVerified)
      return problemResponse({
        status: 403,
        code: 'EMAIL_NOT_VERIFIED',
        title: 'The e-mail is not verified.',
      });
    if (deps.staffEmails.includes(email))
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
