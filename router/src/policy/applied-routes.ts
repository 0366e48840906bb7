import { ServiceError, type ServiceClient } from '@agentstore/kernel/http/client';
import type { Log } from '@agentstore/kernel/log';
import { startLoop, type Loop } from '@agentstore/kernel/loop';

/** An applied GatewayRoute, as far as the router acts on it. */
export interface AppliedRoute {
  readonly instanceId: string;
  readonly organizationId: string;
  readonly spec: {
    readonly path: string;
    readonly paused: boolean;
    readonly desiredPhase: 'Active' | 'Paused' | 'Terminated';
  };
}

/** What was applied of instances' routes, kept up to date by a watch: the router never decides by what is merely desired. */
export interface AppliedRoutes {
  /** The route of an instance; asked once more when the watch has not brought it yet. */
  routeOf(instanceId: string): Promise<AppliedRoute | undefined>;
  start(): void;
  stop(): Promise<void>;
}

type WatchEvent =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; resourceVersion: string; object: AppliedRoute }
  | { type: 'BOOKMARK'; resourceVersion: string };

/** A watch says something every 15 s (BOOKMARK); one that says nothing for this long is broken. */
const silenceMs = 45_000;

export function createAppliedRoutes(
  gitops: ServiceClient,
  token: () => Promise<string>,
  log: Log,
): AppliedRoutes {
  const routes = new Map<string, AppliedRoute>();
  let since = '0';
  let loop: Loop | undefined;

  /** Follows the watch until it breaks or goes silent, then goes on from the last version seen. */
  async function follow(stopped: AbortSignal): Promise<void> {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), silenceMs);
    const signal = AbortSignal.any([stopped, silent.signal]);
    try {
      const answer = await gitops.fetch(`/applied:watch?kind=GatewayRoute&since=${since}`, {
        signal,
        headers: { authorization: `Bearer ${await token()}` },
      });
      if (!answer.ok || !answer.body) throw new Error(`the watch answered ${answer.status}`);
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      const leave = (): void => void reader.cancel().catch(() => undefined);
      signal.addEventListener('abort', leave, { once: true });
      const decoder = new TextDecoder();
      let rest = '';
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        clearTimeout(timer);
        timer = setTimeout(() => silent.abort(), silenceMs);
        const lines = (rest + decoder.decode(next.value, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line) take(JSON.parse(line) as WatchEvent);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  function take(event: WatchEvent): void {
    since = event.resourceVersion;
    if (event.type === 'BOOKMARK') return;
    if (event.type === 'DELETED') routes.delete(event.object.instanceId);
    else routes.set(event.object.instanceId, event.object);
  }

  return {
    async routeOf(instanceId) {
      const known = routes.get(instanceId);
      if (known) return known;
      try {
        return await gitops.call<AppliedRoute>('GET', `/applied/GatewayRoute/${instanceId}`, undefined, {
          deadlineMs: 2_000,
          headers: { authorization: `Bearer ${await token()}` },
        });
      } catch (error) {
        if (error instanceof ServiceError && error.status === 404) return undefined;
        throw error;
      }
    },
    start() {
      loop = startLoop({ name: 'applied-routes', log, everyMs: 500, work: follow });
    },
    async stop() {
      await loop?.stop();
    },
  };
}
