import {
  errors,
  interactionPolicy,
  Provider,
  type ClientMetadata,
  type Configuration,
  type JWK,
} from 'oidc-provider';
import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import { accountClaims } from './account-claims.ts';
import { accountOf } from './accounts.store.ts';
import { artifactAdapter } from './artifacts.store.ts';
import { isLoopbackOrigin, serviceClient, webClient } from './clients.ts';
import type { IdentityState } from './identity-state.ts';
import { signInRoutes } from './sign-in-form.http.ts';
import { faultText, plainText, showPage, signOutForm } from './pages.ts';
import { serviceAudience, servicePermissions } from './services.ts';

const minute = 60;
const day = 24 * 60 * minute;

/** oidc-provider, set up as the store's issuer: PKCE for people, client credentials for services, JWT access tokens for both. */
export function createProvider(options: {
  issuer: string;
  /** `aud` of people's access tokens. */
  audience: string;
  database: Database;
  state: IdentityState;
  clients: readonly ClientMetadata[];
  log: Log;
}): Provider {
  const { database, state, log } = options;
  const policy = interactionPolicy.base();
  // A browser on a loopback address is our own client here: nobody is asked whether our store may know them.
  policy.get('consent')?.checks.remove('native_client_prompt');

  const configuration: Configuration = {
    adapter: artifactAdapter(database),
    jwks: { keys: [...state.keys] as JWK[] },
    cookies: {
      keys: [...state.cookieKeys],
      // Cookies are shared by all ports of 127.0.0.1: names of our own keep out of other programs' way.
      names: {
        session: 'agentstore_session',
        interaction: 'agentstore_interaction',
        resume: 'agentstore_resume',
      },
    },
    clients: [
      webClient,
      ...options.clients,
      ...Object.keys(servicePermissions).map((id) => serviceClient(id, state.clientSecrets[id]!)),
    ],
    clientBasedCORS: (_ctx, origin) => isLoopbackOrigin(origin),
    pkce: { required: () => true },
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'agentstore_roles'],
    },
    conformIdTokenClaims: false,
    interactions: { policy, url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
    async findAccount(_ctx, subject) {
      const account = await accountOf(database, subject);
      return account && { accountId: subject, claims: () => ({ sub: subject, ...accountClaims(account) }) };
    },
    async extraTokenClaims(_ctx, token) {
      const account = token.kind === 'AccessToken' ? await accountOf(database, token.accountId) : undefined;
      return account && accountClaims(account);
    },
    async loadExistingGrant(ctx) {
      const { client, session, account } = ctx.oidc;
      const id = session!.grantIdFor(client!.clientId);
      const grant =
        (id && (await ctx.oidc.provider.Grant.find(id))) ||
        new ctx.oidc.provider.Grant({ clientId: client!.clientId, accountId: account!.accountId });
      grant.addOIDCScope([...ctx.oidc.requestParamOIDCScopes]);
      for (const [resource, server] of Object.entries(ctx.oidc.resourceServers ?? {}))
        grant.addResourceScope(resource, server.scope);
      await grant.save();
      return grant;
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 60 * minute,
      ClientCredentials: 10 * minute,
      AuthorizationCode: minute,
      IdToken: 60 * minute,
      Interaction: 60 * minute,
      RefreshToken: 14 * day,
      Session: 14 * day,
      Grant: 14 * day,
    },
    renderError(ctx, out) {
      showPage(ctx, { title: 'This did not work', main: faultText(out.error_description ?? out.error) });
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => showPage(ctx, { title: 'Sign out?', main: signOutForm(form) }),
        postLogoutSuccessSource: (ctx) =>
          showPage(ctx, { title: 'Signed out', main: plainText('You can close this page.') }),
      },
      resourceIndicators: {
        enabled: true,
        // A token is always for somebody: a client that names no audience gets the one it is there for.
        defaultResource: (_ctx, client) => (isService(client.clientId) ? serviceAudience : options.audience),
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, resource, client) {
          if (isService(client.clientId) ? resource !== serviceAudience : resource !== options.audience)
            throw new errors.InvalidTarget('this client gets no tokens for that resource');
          return {
            audience: resource,
            scope: (servicePermissions[client.clientId] ?? ['openid', 'email', 'profile']).join(' '),
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          };
        },
      },
    },
  };

  const provider = new Provider(options.issuer, configuration);
  provider.use(signInRoutes({ provider, database, log }));
  // Koa would write to the console what a client that went away did to its socket.
  (provider as NodeJS.EventEmitter).on('error', (error: Error) =>
    log.warn({ err: error }, 'identity request failed'),
  );
  provider.on('server_error', (_ctx, error) => log.error({ err: error }, 'identity provider failed'));
  return provider;
}

const isService = (clientId: string): boolean => Object.hasOwn(servicePermissions, clientId);
