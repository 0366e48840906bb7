import { createHash } from 'node:crypto';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { serve } from '@agentstore/kernel/http/server';
import type { Log } from '@agentstore/kernel/log';
import { answerOrders, ordersOpenApi } from './orders-api.ts';
import { statusServer } from './status-server.ts';

export interface UpstreamsOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** sha256 (hex) of the API key that the orders API lets in; it never learns the key itself otherwise than from its callers. */
  readonly ordersKeySha256: string;
  /** sha256 (hex) of the bearer token that the status server lets in. */
  readonly statusTokenSha256: string;
  readonly log: Log;
}

/** The two servers that the demo's connectors lead to, on one port of 127.0.0.1. */
export interface Upstreams {
  /** Origin of both. */
  readonly url: string;
  /** Base of the REST API; its OpenAPI document is at `openapi.yaml` under it. */
  readonly ordersUrl: string;
  /** MCP endpoint. */
  readonly statusUrl: string;
  /** Requests that came so far to each, refused ones too. */
  calls(): { readonly orders: number; readonly status: number };
  stop(): Promise<void>;
}

export async function startUpstreams(options: UpstreamsOptions): Promise<Upstreams> {
  const { log } = options;
  const calls = { orders: 0, status: 0 };
  const mcp = statusServer((error) => log.warn({ err: error }, 'status server'));
  const server = await serve({
    port: options.port,
    log,
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === '/v1/openapi.yaml')
        return new Response(ordersOpenApi, { headers: { 'content-type': 'application/yaml' } });
      if (url.pathname === '/v1/orders' && request.method === 'GET') {
        calls.orders += 1;
        const isKnown = sha256(request.headers.get('x-api-key') ?? '') === options.ordersKeySha256;
        return isKnown ? answerOrders(url) : unauthorized('ApiKey');
      }
      if (url.pathname === '/mcp') {
        calls.status += 1;
        const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
        return sha256(token) === options.statusTokenSha256 ? mcp.fetch(request) : unauthorized('Bearer');
      }
      return problemResponse({ status: 404, code: 'NOT_FOUND', title: 'There is nothing here.' });
    },
  });
  return {
    url: server.origin,
    ordersUrl: `${server.origin}/v1`,
    statusUrl: `${server.origin}/mcp`,
    calls: () => ({ ...calls }),
    async stop() {
      await mcp.close();
      await server.close(0);
    },
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const unauthorized = (scheme: string): Response =>
  problemResponse(
    { status: 401, code: 'UNAUTHENTICATED', title: 'The credential is missing or unknown.' },
    { 'www-authenticate': scheme },
  );
