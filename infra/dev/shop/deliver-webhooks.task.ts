import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Shop } from './context.ts';
import {
  dueDeliveries,
  forgetDelivery,
  loseDelivery,
  settleFailure,
  type Attempt,
  type DeliveryRow,
} from './deliveries.store.ts';
import { send, webhookHeaders } from './send-webhook.ts';
import { openStore } from './store.ts';

/** Saleor's waits after a failed attempt, in seconds: five retries, 10·2ⁿ. */
export const saleorRetrySchedule: readonly number[] = [10, 20, 40, 80, 160];

const parallel = 16;

/** A request that was signed and never sent. */
export interface LostDelivery {
  readonly url: string;
  readonly headers: readonly [string, string][];
  readonly body: Buffer;
}

/** The deliveries under way. */
export interface Deliveries extends Loop {
  /** Loses the next delivery of an event as a killed worker of Saleor does, and answers what would have been sent. */
  loseNext(eventType: string): Promise<LostDelivery>;
}

/** What an answer means: 2xx is done; 3xx and 4xx are final; 5xx and no answer are tried again while the schedule lasts. */
export function judgeAnswer(status: number | null): 'delivered' | 'failed' | 'retry' {
  if (status === null || status >= 500) return 'retry';
  return status >= 200 && status < 300 ? 'delivered' : 'failed';
}

/**
 * Sends queued deliveries, several at a time and in no promised order, as Saleor's workers do. State is in rows, and only what is being sent
 * in memory: what a process that died was sending is sent again by the next one, and what could not be noted is sent again by this one
 * (the real one leaves a request in flight for dead; here nothing is lost).
 */
export function startDeliveries(
  shop: Shop,
  options: { retryScheduleSeconds: readonly number[]; timeoutMs: number },
): Deliveries {
  const store = openStore(shop.database);
  const sending = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const losing = new Map<string, ((lost: LostDelivery) => void)[]>();
  const loop = startLoop({ name: 'deliver-webhooks', log: shop.log, everyMs: 1_000, work: sendDue });

  async function sendDue(): Promise<boolean> {
    const free = parallel - sending.size;
    const rows =
      free > 0
        ? await dueDeliveries(store, { now: shop.now(), limit: free, sending: [...sending.keys()] })
        : [];
    for (const row of rows)
      sending.set(
        row.id,
        deliver(row).then(
          () => {
            sending.delete(row.id);
            loop.wake();
          },
          (error: unknown) => {
            // No wake: a database that notes nothing now is asked again at the loop's own pace.
            sending.delete(row.id);
            shop.log.warn({ err: error, delivery: row.id }, 'delivery could not be settled');
          },
        ),
      );
    return false;
  }

  async function deliver(row: DeliveryRow): Promise<void> {
    store.forget();
    const webhook = await store.get('Webhook', row.webhook);
    const app = webhook && (await store.get('App', webhook.app));
    if (!webhook?.isActive || !app?.isActive)
      return settleFailure(store, { id: row.id, attempt: null, retryAt: null });
    const body = Buffer.from(row.payload);
    const began = shop.now();
    let status: number | null = null;
    let response = '';
    try {
      const headers = await webhookHeaders(shop, {
        event: row.event_type,
        body,
        custom: webhook.customHeaders,
      });
      const lose = losing.get(row.event_type)?.shift();
      if (lose) {
        await loseDelivery(store, row.id);
        lose({ url: webhook.targetUrl, headers, body });
        return;
      }
      const answer = await send({
        method: 'POST',
        url: webhook.targetUrl,
        headers,
        body,
        timeoutMs: options.timeoutMs,
        signal: stopping.signal,
      });
      ({ status } = answer);
      response = answer.body.slice(0, 1_000);
    } catch (error) {
      if (stopping.signal.aborted) return;
      response = (error as Error).message;
    }
    const verdict = judgeAnswer(status);
    if (verdict === 'delivered') return forgetDelivery(store, row.id);
    const wait = verdict === 'retry' ? options.retryScheduleSeconds[row.attempts.length] : undefined;
    const attempt: Attempt = {
      at: began.toISOString(),
      seconds: (shop.now().getTime() - began.getTime()) / 1000,
      status,
      response,
    };
    const retryAt = wait === undefined ? null : new Date(shop.now().getTime() + wait * 1000);
    await settleFailure(store, { id: row.id, attempt, retryAt });
    if (wait !== undefined) wakeAfter(wait * 1000);
  }

  function wakeAfter(ms: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer);
      loop.wake();
    }, ms);
    timer.unref();
    timers.add(timer);
  }

  return {
    wake: () => loop.wake(),
    loseNext: (eventType) =>
      new Promise((resolve) => losing.set(eventType, [...(losing.get(eventType) ?? []), resolve])),
    async stop() {
      stopping.abort();
      timers.forEach((timer) => clearTimeout(timer));
      await loop.stop();
      await Promise.all(sending.values());
    },
  };
}
