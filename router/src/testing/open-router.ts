import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createClient, type Client } from 'graphql-ws';
import { execute, parse, type GraphQLSchema } from 'graphql';
import { createLocalJWKSet, createRemoteJWKSet } from 'jose';
import { afterAll } from 'vitest';
import { WebSocket } from 'ws';
import { createAuthenticator } from '@agentstore/kernel/auth/authenticator';
import { generateInternalKey, internalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import { widgetTokenSigner } from '@agentstore/kernel/auth/widget-token';
import { createServiceClient, type Send, type ServiceClient } from '@agentstore/kernel/http/client';
import { silentLog } from '@agentstore/kernel/log';
import { listen } from '@agentstore/kernel/testing/http';
import { composeToFile } from '../../../schema/compose-supergraph.ts';
import { createApp } from '../app.ts';
import type { Deps, WidgetSettings } from '../deps.ts';
import { createBooks } from './books.ts';
import { createIssuer } from './issuer.ts';
import { createControlPlane, createGitops } from './neighbours.ts';
import { createReviews } from './reviews.ts';
import { createShop, shopSdl } from './shop.ts';

/** What a GraphQL client gets. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test reads what it asked for
  readonly data?: Record<string, any> | null;
  readonly errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

export type TestRouter = Awaited<ReturnType<typeof openRouter>>;

interface TestRouterOptions {
  /** How the router reaches the subgraphs. */
  readonly transport?: 'in-process' | 'http';
  readonly deps?: Partial<Omit<Deps, 'widget'>>;
  readonly widget?: Partial<Omit<WidgetSettings, 'signToken'>>;
  /** More subgraphs by name. */
  readonly more?: Readonly<Record<string, { readonly sdl: string; readonly fetch: Send }>>;
}

/** A listening router over two small subgraphs and a small shop; everything is closed after the file's tests. */
export async function openRouter({
  transport = 'in-process',
  deps = {},
  more = {},
  widget: asked = {},
}: TestRouterOptions = {}) {
  const { privateJwk, jwks } = await generateInternalKey('test');
  const signToken = await widgetTokenSigner(privateJwk);
  const widget = {
    tokenSeconds: 600,
    initsPerMinute: { address: 1_000, key: 1_000, visitor: 1_000 },
    proxies: 0,
    limits: { inputCharacters: 100, attachmentBytes: 200 },
    ...asked,
  };
  const issuer = await createIssuer('https://issuer.test', 'https://store.test/graphql');
  const authenticate = (audience: string) =>
    createAuthenticator({
      audience,
      internalJwks: jwks,
      issuer: issuer.issuer,
      serviceAudience: 'agentstore:internal',
      issuerKeys: createLocalJWKSet({ keys: [] }),
    });
  const books = createBooks(authenticate('books'));
  const reviews = createReviews(authenticate('reviews'));
  const shop = createShop();
  const controlPlane = createControlPlane();
  const gitops = createGitops();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'router-test-'));
  const supergraphFile = path.join(directory, 'supergraph.graphql');
  const subgraphSdl = [
    { name: 'books', sdl: await sdlOf(books.schema) },
    { name: 'reviews', sdl: await sdlOf(reviews.schema) },
    { name: 'saleor', sdl: shopSdl },
    ...Object.entries(more).map(([name, { sdl }]) => ({ name, sdl })),
  ];
  composeToFile(subgraphSdl, supergraphFile);

  const client = async (name: string, send: Send): Promise<ServiceClient> =>
    transport === 'http'
      ? createServiceClient({ name, baseUrl: (await listen(send)).origin })
      : createServiceClient({ name, baseUrl: `http://${name}.internal`, send });
  const subgraphs: Record<string, ServiceClient> = {};
  for (const [name, { fetch: send }] of Object.entries({ books, reviews, ...more }))
    subgraphs[name] = await client(name, send);
  const keys = await listen(issuer.fetch);
  const app = createApp(
    {
      log: silentLog,
      publicOrigin: 'https://store.test',
      supergraphFile,
      issuer: {
        url: issuer.issuer,
        audience: issuer.audience,
        keys: createRemoteJWKSet(new URL(`${keys.origin}/jwks`)),
      },
      signInternal: await internalTokenSigner(privateJwk),
      internalJwks: jwks,
      subgraphs,
      // Books stands for the control plane's graph too: its mutations may change who a caller is.
      controlPlane: await client('books', controlPlane.fetch),
      gitops: await client('gitops', gitops.fetch),
      saleorApiUrl: `${(await listen(shop.fetch)).origin}/graphql/`,
      staffEmails: ['staff@example.test', '@shop.test'],
      introspection: 'signed-in',
      limits: { depth: 8, tokens: 500, aliases: 10, rootFields: 6 },
      maxBodyBytes: 20_000,
      subgraphDeadlineMs: 1_500,
      streams: { recheckMs: 30_000, silenceMs: 45_000 },
      widget: { ...widget, signToken },
      ...deps,
    },
    async () => 'service-token',
  );
  await app.start();
  const front = await listen((request) => app.fetch(request), app.bodies);
  app.attachWebSocket(front.server);
  const sockets: Client[] = [];
  afterAll(async () => {
    for (const socket of sockets) await socket.dispose();
    await app.stop();
    fs.rmSync(directory, { recursive: true, force: true });
  });
  const graphqlUrl = `${front.origin}/graphql`;
  return {
    app,
    origin: front.origin,
    graphqlUrl,
    supergraphFile,
    subgraphSdl,
    books,
    shop,
    controlPlane,
    gitops,
    issuer,
    signToken,
    ask: askGraph(graphqlUrl),
    /** A graphql-ws client of whoever sends this connection_init payload, from a page of this origin. */
    socket(connectionParams: Record<string, unknown> = {}, origin?: string): Client {
      const socket = createClient({
        url: graphqlUrl.replace('http', 'ws'),
        webSocketImpl: origin === undefined ? WebSocket : from(origin),
        connectionParams,
        retryAttempts: 0,
      });
      sockets.push(socket);
      return socket;
    },
  };
}

/** WebSockets as a browser opens them on a page of this origin. */
const from = (origin: string) =>
  class extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { origin });
    }
  };

async function sdlOf(schema: GraphQLSchema): Promise<string> {
  const { data } = await execute({ schema, document: parse('{ _service { sdl } }') });
  return (data as unknown as { _service: { sdl: string } })._service.sdl;
}

/** Asks the router at this URL over HTTP; nobody without a token. */
export const askGraph =
  (graphqlUrl: string) =>
  async (
    query: string,
    options: { token?: string; variables?: object; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const { token, variables, headers } = options;
    const answer = await fetch(graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    return { status: answer.status, headers: answer.headers, ...((await answer.json()) as object) };
  };

/** The stable codes of an answer's errors. */
export const codesOf = ({ errors }: Pick<Answer, 'errors'>): string[] =>
  (errors ?? []).map(({ extensions }) => extensions.code);
