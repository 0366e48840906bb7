import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Log } from '@agentstore/kernel/log';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { ServiceClient } from '@agentstore/kernel/service-client';

const line = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('BINDING'),
    cursor: z.string(),
    bindingId: z.string(),
    state: z.enum(['PENDING', 'ACTIVE', 'NEEDS_REAUTHORIZATION', 'REVOKED']),
    secretVersion: z.int().nullish(),
  }),
  z.object({ type: z.literal('INSTANCE'), cursor: z.string(), instanceId: z.string(), phase: z.string() }),
  z.object({ type: z.literal('BOOKMARK'), cursor: z.string() }),
]);
export type AccessLine = z.output<typeof line>;

/** The control plane says something every 5 s; whoever heard nothing for this long may have missed a revocation. */
const silenceMs = 12_000;

/** What the control plane takes back, as it says it: sooner than it is applied from Git. */
export interface ToolAccess {
  /** False when a revocation could have been missed. */
  isCurrent(): boolean;
  isRevoked(bindingId: string): boolean;
  /** Undefined when nothing was said of the instance lately. */
  phaseOf(instanceId: string): string | undefined;
  /** Runs a call's work with a signal that aborts when the binding is revoked meanwhile. */
  during<T>(bindingId: string, work: (revoked: AbortSignal) => Promise<T>): Promise<T>;
  start(): void;
  stop(): Promise<void>;
}

export function createToolAccess(options: {
  readonly controlPlane: ServiceClient;
  readonly token: () => Promise<string>;
  readonly log: Log;
  /** A binding's secret is another one now, or is gone. */
  readonly onSecretChanged: (bindingId: string) => void;
  /** The watch began again: what was missed is told from here on, what was kept before may be stale. */
  readonly onReconnect: () => void;
}): ToolAccess {
  const { controlPlane, token, log } = options;
  // A revoked binding has no secret any more: one that falls out of here is refused by the secret store.
  const revoked = new LRUCache<string, true>({ max: 100_000 });
  const versions = new LRUCache<string, number>({ max: 100_000 });
  const phases = new LRUCache<string, string>({ max: 100_000 });
  const inUse = new Map<string, Set<AbortController>>();
  let cursor: string | undefined;
  let heardAt = -Infinity;
  let loop: Loop | undefined;

  async function follow(stopped: AbortSignal): Promise<void> {
    const silent = new AbortController();
    const watchdog = setTimeout(() => silent.abort(), silenceMs);
    const signal = AbortSignal.any([stopped, silent.signal]);
    try {
      const since = cursor === undefined ? '' : `?since=${encodeURIComponent(cursor)}`;
      const answer = await controlPlane.fetch(`/internal/tool-access:watch${since}`, {
        signal,
        headers: { authorization: `Bearer ${await token()}`, accept: 'application/x-ndjson' },
      });
      if (!answer.ok || !answer.body) throw new Error(`the watch answered ${answer.status}`);
      options.onReconnect();
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined), { once: true });
      const decoder = new TextDecoder();
      let rest = '';
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        watchdog.refresh();
        const lines = (rest + decoder.decode(next.value, { stream: true })).split('\n');
        rest = lines.pop() ?? '';
        for (const text of lines) if (text) take(line.parse(JSON.parse(text)));
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  function take(told: AccessLine): void {
    cursor = told.cursor;
    heardAt = performance.now();
    if (told.type === 'INSTANCE') phases.set(told.instanceId, told.phase);
    if (told.type === 'BINDING') takeBinding(told);
  }

  function takeBinding({ bindingId, state, secretVersion }: Extract<AccessLine, { type: 'BINDING' }>): void {
    if (state === 'REVOKED') {
      revoked.set(bindingId, true);
      for (const use of inUse.get(bindingId) ?? []) use.abort();
    }
    if (state === 'REVOKED' || versions.get(bindingId) !== secretVersion) options.onSecretChanged(bindingId);
    if (typeof secretVersion === 'number') versions.set(bindingId, secretVersion);
  }

  return {
    isCurrent: () => performance.now() - heardAt < silenceMs,
    isRevoked: (bindingId) => revoked.has(bindingId),
    phaseOf: (instanceId) => phases.get(instanceId),
    async during(bindingId, work) {
      const use = new AbortController();
      if (revoked.has(bindingId)) use.abort();
      const uses = inUse.get(bindingId) ?? new Set();
      inUse.set(bindingId, uses.add(use));
      try {
        return await work(use.signal);
      } finally {
        uses.delete(use);
        if (uses.size === 0 && inUse.get(bindingId) === uses) inUse.delete(bindingId);
      }
    },
    start() {
      loop ??= startLoop({ name: 'tool-access', log, everyMs: 200, work: follow });
    },
    async stop() {
      await loop?.stop();
    },
  };
}
