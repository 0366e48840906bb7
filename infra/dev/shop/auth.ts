import { anonymous, type Requestor, type Shop } from './context.ts';
import type { Store } from './store.ts';
import { asUser, claimsToBeOwn, sha256, verifyUserToken } from './tokens.ts';

/**
 * Who sent these headers. `Authorization-Bearer` wins over `Authorization: Bearer|JWT`. An own JWT is accepted or throws; 30 characters
 * may be an app token; all else is the OpenID Connect plugin's to judge, and what nobody accepts is anonymous without an error.
 */
export async function authenticate(shop: Shop, store: Store, headers: Headers): Promise<Requestor> {
  const token = bearerOf(headers);
  if (!token) return anonymous;
  if (claimsToBeOwn(token)) return asUser((await verifyUserToken(shop, store, token, 'access')).user);
  if (token.length === 30) {
    const app = await appOfToken(store, token);
    if (app) return app;
  }
  return shop.oidc.authenticate(token);
}

/** The raw token of a request, by Saleor's precedence. */
function bearerOf(headers: Headers): string | undefined {
  const direct = headers.get('authorization-bearer');
  if (direct) return direct.trim();
  return /^(?:bearer|jwt)\s+(\S+)\s*$/i.exec(headers.get('authorization') ?? '')?.[1];
}

async function appOfToken(store: Store, token: string): Promise<Requestor | undefined> {
  const hash = sha256(token);
  const app = (await store.all('App')).find(
    (one) => one.isActive && one.tokens.some((own) => own.sha256 === hash),
  );
  return app && { kind: 'app', app, permissions: new Set(app.permissions) };
}
