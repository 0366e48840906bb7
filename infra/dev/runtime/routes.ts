import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Flavour } from './components.ts';
import { findFlow, type Exchange, type RuntimeDeps } from './exchange.ts';
import { createFlow, flowMeta, listFlows, uploadFlow } from './flows-routes.ts';
import { sendJson } from './http.ts';
import { jobEvents, jobStatus, runFlow, runWorkflow, stopJob } from './workflow-routes.ts';
import { RequestRefusal } from './workflow-request.ts';

type Route = readonly [
  method: string,
  path: RegExp,
  only: Flavour | 'both',
  open: boolean,
  handle: (exchange: Exchange) => Promise<void> | void,
];

const routes: readonly Route[] = [
  [
    'GET',
    /^\/health$/,
    'both',
    true,
    ({ deps, outgoing }) =>
      sendJson(
        outgoing,
        200,
        deps.flavour === 'lfx'
          ? { status: 'healthy', flow_count: deps.store.all().length }
          : { status: 'ok' },
      ),
  ],
  [
    'GET',
    /^\/health_check$/,
    'langflow',
    true,
    ({ outgoing }) => sendJson(outgoing, 200, { status: 'ok', chat: 'ok', db: 'ok' }),
  ],
  [
    'GET',
    /^\/api\/v1\/version$/,
    'langflow',
    true,
    ({ deps, outgoing }) =>
      sendJson(outgoing, 200, { version: deps.version, main_version: deps.version, package: 'Langflow' }),
  ],
  [
    'GET',
    /^\/flows$/,
    'lfx',
    false,
    ({ deps, outgoing }) => sendJson(outgoing, 200, deps.store.all().map(flowMeta)),
  ],
  ['POST', /^\/flows\/upload\/$/, 'both', false, uploadFlow],
  [
    'GET',
    /^\/flows\/([^/]+)\/info$/,
    'both',
    false,
    ({ deps, outgoing, id }) => sendJson(outgoing, 200, flowMeta(findFlow(deps, id))),
  ],
  [
    'DELETE',
    /^\/flows\/([^/]+)$/,
    'both',
    false,
    async ({ deps, outgoing, id }) => {
      findFlow(deps, id);
      await deps.store.remove(id);
      outgoing.writeHead(204).end();
    },
  ],
  ['POST', /^\/flows\/([^/]+)\/run$/, 'lfx', false, runFlow],
  ['POST', /^\/api\/v2\/workflows$/, 'both', false, runWorkflow],
  ['GET', /^\/api\/v1\/flows\/$/, 'langflow', false, listFlows],
  ['POST', /^\/api\/v1\/flows\/$/, 'langflow', false, createFlow],
  ['POST', /^\/api\/v2\/workflows\/stop$/, 'langflow', false, stopJob],
  ['GET', /^\/api\/v2\/workflows$/, 'langflow', false, jobStatus],
  ['GET', /^\/api\/v2\/workflows\/([^/]+)\/events$/, 'langflow', false, jobEvents],
];

/** Answers one request; refusals become `{detail}` with their status. */
export async function answer(
  deps: RuntimeDeps,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://runtime');
  outgoing.setHeader('server', 'uvicorn');
  const aborting = new AbortController();
  outgoing.once('close', () => aborting.abort());
  try {
    const route = routes.find(
      ([method, path, only]) =>
        method === incoming.method && path.test(url.pathname) && (only === 'both' || only === deps.flavour),
    );
    if (!route) throw new RequestRefusal(404, 'Not Found');
    const [, path, , isOpen, handle] = route;
    if (!isOpen)
      authenticate(deps.apiKey, incoming.headers['x-api-key'] ?? url.searchParams.get('x-api-key'));
    await handle({ deps, incoming, outgoing, id: path.exec(url.pathname)?.[1] ?? '', gone: aborting.signal });
  } catch (error) {
    if (aborting.signal.aborted) return;
    if (!(error instanceof RequestRefusal)) throw error;
    sendJson(outgoing, error.status, { detail: error.detail });
  }
}

function authenticate(apiKey: string, given: string | string[] | null): void {
  if (typeof given !== 'string' || given === '') throw new RequestRefusal(401, 'API key required');
  const [a, b] = [Buffer.from(given), Buffer.from(apiKey)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new RequestRefusal(401, 'Invalid API key');
}
