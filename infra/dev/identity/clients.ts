import type { ClientMetadata } from 'oidc-provider';

/** The public client of the storefront, the console, scripts and tests. */
export const webClientId = 'agentstore-web';

/** Paths a browser or script may be sent back to, on any loopback address and any port (RFC 8252 §7.3). */
const redirectPaths = ['/callback', '/auth/callback', '/graphiql/callback'];
const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];
const loopback = (paths: readonly string[]): string[] =>
  loopbackHosts.flatMap((host) => paths.map((path) => `http://${host}${path}`));

/** No secret: PKCE is what binds a code to who asked for it. `native` is what makes the port of a loopback address free. */
export const webClient: ClientMetadata = {
  client_id: webClientId,
  client_name: 'Agent Store',
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: loopback(redirectPaths),
  post_logout_redirect_uris: loopback(['/']),
};

/** A service: client credentials and nothing else. */
export const serviceClient = (id: string, secret: string): ClientMetadata => ({
  client_id: id,
  client_secret: secret,
  token_endpoint_auth_method: 'client_secret_basic',
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

/** True for pages served from this machine, on whatever port. */
export function isLoopbackOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return url?.protocol === 'http:' && loopbackHosts.includes(url.hostname);
}
