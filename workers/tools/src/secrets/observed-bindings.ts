import type { Log } from '@agentstore/kernel/log';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { ServiceClient } from '@agentstore/kernel/service-client';

const everyMs = 5_000;
const mostWaiting = 10_000;
const batch = 500;

interface Observation {
  readonly bindingId: string;
  readonly usedAt: string;
  readonly unauthorized?: true;
}

/** Tells the control plane which bindings were used, and which one an upstream did not take. A binding's newest use is told, once per batch. */
export interface ObservedBindings {
  used(bindingId: string, unauthorized: boolean): void;
  start(): void;
  stop(): Promise<void>;
}

export function createObservedBindings(controlPlane: ServiceClient, log: Log): ObservedBindings {
  const waiting = new Map<string, Observation>();
  let loop: Loop | undefined;

  async function tell(): Promise<boolean> {
    const items = [...waiting.values()].slice(0, batch);
    if (items.length === 0) return false;
    await controlPlane.call('POST', '/internal/bindings:observed', { items }, { deadlineMs: 5_000 });
    for (const item of items) if (waiting.get(item.bindingId) === item) waiting.delete(item.bindingId);
    return waiting.size > 0;
  }

  return {
    used(bindingId, unauthorized) {
      if (!waiting.has(bindingId) && waiting.size >= mostWaiting) return;
      waiting.set(bindingId, {
        bindingId,
        usedAt: new Date().toISOString(),
        ...(unauthorized ? { unauthorized } : {}),
      });
      if (unauthorized) loop?.wake();
    },
    start() {
      loop ??= startLoop({ name: 'observed-bindings', log, everyMs, work: tell });
    },
    async stop() {
      await loop?.stop();
      await tell().catch((error: unknown) => log.warn({ err: error }, 'uses of bindings were not told'));
    },
  };
}
