import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@agentstore/kernel/http/server';
import { silentLog } from '@agentstore/kernel/log';
import { answerOrders } from '../../infra/dev/upstreams/orders-api.ts';
import { statusServer } from '../../infra/dev/upstreams/status-server.ts';

/** What the demo's connectors lead to, as slow as is asked. */
export interface ToolUpstream {
  readonly origin: string;
  /** How long each answer of the orders API takes from now on. */
  delayMs: number;
}

/** The orders API and the status server on one port, for as long as the process lives. They take any credential: what checking it costs is no part of a comparison. */
export async function openToolUpstream(): Promise<ToolUpstream> {
  const mcp = statusServer((error) => process.emitWarning(error));
  const server = await serve({
    port: 0,
    log: silentLog,
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname === '/mcp') return mcp.fetch(request);
      if (upstream.delayMs) await sleep(upstream.delayMs);
      return answerOrders(url);
    },
  });
  const upstream: ToolUpstream = { origin: server.origin, delayMs: 0 };
  return upstream;
}
