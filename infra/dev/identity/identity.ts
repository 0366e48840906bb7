import http from 'node:http';
import type { Configuration, Provider } from 'oidc-provider';
import { openDatabase } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { Permission } from '@agentstore/kernel/permissions';
import { demoAccounts, subjectOf, type DevAccount } from './accounts.ts';
import { identityKeys } from './keys.ts';
import { loginPage } from './login-page.ts';
import { postgresAdapter } from './postgres-adapter.ts';

/** Audience of service tokens. */
export const serviceAudience = 'agentstore:internal';

/** The public client of storefront, console and command line. */
export const webClientId = 'agentstore-web';

export interface IdentityOptions {
  readonly port: number;
  readonly stateDir: string;
  readonly databaseUrl: string;
  /** Audience of user tokens: the router's GraphQL endpoint. */
  readonly audience: string;
  /** Permissions per service client. */
  readonly services: Readonly<Record<string, readonly Permission[]>>;
  readonly accounts?: readonly DevAccount[];
  readonly log: Log;
}

export interface Identity {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly tokenUrl: string;
  readonly accounts: readonly DevAccount[];
  readonly serviceSecrets: Readonly<Record<string, string>>;
  /** Lets somebody else sign in, for tests. */
  addAccount(account: DevAccount): void;
  stop(): Promise<void>;
}

const userScope = 'openid email profile offline_access';

/** The embedded identity provider: the real oidc-provider with PKCE, client credentials and resource indicators. */
export async function startIdentity(options: IdentityOptions): Promise<Identity> {
  const issuer = `http://127.0.0.1:${options.port}`;
  const accounts = new Map(
    [...demoAccounts, ...(options.accounts ?? [])].map((account) => [account.email, account]),
  );
  const bySubject = (subject: string): DevAccount | undefined =>
    [...accounts.values()].find((account) => subjectOf(account) === subject);
  const keys = await identityKeys(options.stateDir, Object.keys(options.services));
  const db = openDatabase({ url: options.databaseUrl, schema: 'dev_identity', max: 4, log: options.log });
  await db.statement('oidc_sweep', '-- oidc sweep\n delete from oidc_model where expires_at < now()');

  const claimsOf = (account: DevAccount) => ({
    email: account.email,
    email_verified: account.emailVerified,
    name: `${account.givenName} ${account.familyName}`,
    given_name: account.givenName,
    family_name: account.familyName,
    ...(account.roles.length ? { agentstore_roles: account.roles } : {}),
  });
  const configuration: Configuration = {
    adapter: postgresAdapter(db),
    jwks: keys.jwks as NonNullable<Configuration['jwks']>,
    cookies: { keys: keys.cookieKeys },
    clients: [
      {
        client_id: webClientId,
        token_endpoint_auth_method: 'none',
        application_type: 'native', // loopback redirect URIs on any port (RFC 8252 §7.3)
        redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        scope: userScope,
      },
      ...Object.entries(options.services).map(([service, scope]) => ({
        client_id: service,
        client_secret: keys.serviceSecrets[service]!,
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        scope: scope.join(' '),
      })),
    ],
    scopes: [...new Set([...userScope.split(' '), ...Object.values(options.services).flat()])],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name'],
    },
    pkce: { required: () => true },
    findAccount: (_ctx, subject) => {
      const account = bySubject(subject);
      return account && { accountId: subject, claims: () => ({ sub: subject, ...claimsOf(account) }) };
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, client) =>
          client.clientId === webClientId ? options.audience : serviceAudience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource, client) => ({
          scope:
            client.clientId === webClientId ? userScope : (options.services[client.clientId] ?? []).join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 3_600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: (_ctx, token) => {
      const account = 'accountId' in token && token.accountId ? bySubject(token.accountId) : undefined;
      return account && claimsOf(account);
    },
    // Our own client needs no consent page: what it may ask for is granted with the sign-in.
    loadExistingGrant: async (ctx) => {
      const { oidc } = ctx;
      const grant = new oidc.provider.Grant({
        accountId: oidc.session!.accountId!,
        clientId: oidc.client!.clientId,
      });
      grant.addOIDCScope(userScope);
      grant.addResourceScope(options.audience, userScope);
      await grant.save();
      return grant;
    },
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    clientBasedCORS: (_ctx, origin) => /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?$/.test(origin),
    ttl: {
      AccessToken: 3_600,
      ClientCredentials: 3_600,
      Session: 14 * 86_400,
      Grant: 14 * 86_400,
      Interaction: 3_600,
      IdToken: 3_600,
    },
  };

  const provider = await makeProvider(issuer, configuration, options.log);
  provider.on('server_error', (_ctx, error) => options.log.error({ err: error }, 'identity provider failed'));
  const callback = provider.callback();
  const server = http.createServer((request, response) => {
    void (
      request.url?.startsWith('/interaction/') ? interact(request, response) : callback(request, response)
    ).catch((error: unknown) => {
      options.log.warn({ err: error }, 'sign-in failed');
      page(response, 400, loginPage({ uid: '', message: 'This sign-in is over. Go back and start again.' }));
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve),
  );

  async function interact(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { uid, prompt } = await provider.interactionDetails(request, response);
    // A native client is always asked for consent (RFC 8252 §8.6); this one is our own, so it is given at once.
    if (prompt.name === 'consent')
      return provider.interactionFinished(
        request,
        response,
        { consent: {} },
        { mergeWithLastSubmission: true },
      );
    if (request.method !== 'POST') return page(response, 200, loginPage({ uid }));
    const form = new URLSearchParams(await bodyOf(request));
    const email = form.get('email') ?? '';
    const account = accounts.get(email.toLowerCase());
    if (!account || account.password !== form.get('password'))
      return page(response, 401, loginPage({ uid, email, message: 'E-mail or password is wrong.' }));
    await provider.interactionFinished(
      request,
      response,
      { login: { accountId: subjectOf(account) } },
      { mergeWithLastSubmission: false },
    );
  }

  return {
    issuer,
    jwksUrl: `${issuer}/jwks`,
    tokenUrl: `${issuer}/token`,
    accounts: [...accounts.values()],
    serviceSecrets: keys.serviceSecrets,
    addAccount: (account) => void accounts.set(account.email, account),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await db.close();
    },
  };
}

/** oidc-provider says on the console what it thinks of its runtime and of plain http; that belongs into the log. */
async function makeProvider(issuer: string, configuration: Configuration, log: Log): Promise<Provider> {
  const terminal = globalThis.console;
  const { warn, info } = terminal;
  terminal.warn = (text: string) => log.debug(text);
  terminal.info = terminal.warn;
  try {
    const { Provider: Made } = await import('oidc-provider');
    return new Made(issuer, configuration);
  } finally {
    Object.assign(terminal, { warn, info });
  }
}

function page(response: http.ServerResponse, status: number, html: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  response.end(html);
}

async function bodyOf(request: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>)
    if ((text += chunk).length > 10_000) throw new Error('the form is too large');
  return text;
}
