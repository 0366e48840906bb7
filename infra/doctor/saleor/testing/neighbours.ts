import { parse, Kind } from 'graphql';
import { listen } from '@agentstore/kernel/testing/http';
import { closedMutationError } from '@agentstore/router/policy/closed-mutations';
import { webhookDefinitions } from '@agentstore/provisioner/webhooks/webhook-definitions';
import { appManifestId } from '@agentstore/provisioner/saleor-app/register';

/** What stands around a Saleor, on one origin: router, provisioner and issuer, and Saleor's own front. */
export interface Neighbours {
  readonly origin: string;
  /** Answers by path; a test that breaks one puts it back. */
  readonly routes: Record<string, (request: Request) => Response | Promise<Response>>;
}

/** Paths that `routes` has no answer for go to the server at `upstream`. */
export async function startNeighbours(upstream: string): Promise<Neighbours> {
  const routes: Neighbours['routes'] = {};
  const { origin } = await listen(async (request) => {
    const { pathname } = new URL(request.url);
    const route = routes[pathname];
    if (route) return route(request);
    const headers = new Headers(request.headers);
    headers.delete('host');
    const body = request.method === 'POST' ? await request.text() : null;
    return fetch(`${upstream}${pathname}`, { method: request.method, headers, body });
  });
  Object.assign(routes, {
    '/api/manifest': () => Response.json(manifest(origin)),
    '/api/register': () => Response.json({ success: true }),
    '/.well-known/openid-configuration': () => Response.json({ issuer: origin, jwks_uri: `${origin}/keys` }),
    '/keys': () => Response.json({ keys: [{ kty: 'RSA', kid: 'one', n: 'n' }] }),
    '/oidc/userinfo': () => Response.json({ code: 'UNAUTHENTICATED' }, { status: 401 }),
    '/graphql': refuse,
  } satisfies Neighbours['routes']);
  return { origin, routes };
}

const manifest = (origin: string) => ({
  id: appManifestId,
  version: '1',
  name: 'Agent Store',
  tokenTargetUrl: `${origin}/api/register`,
  permissions: ['MANAGE_ORDERS', 'MANAGE_PRODUCTS'],
  webhooks: webhookDefinitions.map(({ event, path, query }) => ({
    name: event,
    asyncEvents: [event],
    query,
    targetUrl: `${origin}${path}`,
  })),
});

/** The router's own decision about an operation, and nothing else of it. */
async function refuse(request: Request): Promise<Response> {
  const { query } = (await request.json()) as { query: string };
  const [operation] = parse(query).definitions;
  const error =
    operation?.kind === Kind.OPERATION_DEFINITION ? closedMutationError(operation, new Map()) : undefined;
  return Response.json(error ? { errors: [error] } : { data: {} });
}
