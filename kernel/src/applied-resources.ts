import type { Log } from './log.ts';
import { startLoop, type Loop } from './loop.ts';
import { ServiceError, type ServiceClient } from './service-client.ts';

/** A custom resource that was applied from Git, as whoever applies it serves it (workers/gitops/src/applier/applied.http.ts). */
export interface AppliedResource<Spec> {
  readonly name: string;
  readonly instanceId: string;
  readonly organizationId: string;
  readonly generation: number;
  /** Git commit that it was taken over from. */
  readonly commit: string;
  readonly spec: Spec;
}

/** What was applied of one kind, kept up to date by a watch: whoever acts on it never decides by what is merely desired. */
export interface AppliedResources<Spec> {
  /** The resource of an instance; asked once more when the watch has not brought it yet. */
  resourceOf(instanceId: string): Promise<AppliedResource<Spec> | undefined>;
  /** Every resource that the watch has brought. */
  all(): Iterable<AppliedResource<Spec>>;
  /** Milliseconds since the watch last said something, which it does every 15 s at least; Infinity before it ever did. */
  fresh(): number;
  /** Tells what the watch brings from now on; undefined for what is no longer applied. */
  onChange(listener: (instanceId: string, applied: AppliedResource<Spec> | undefined) => void): void;
  start(): void;
  stop(): Promise<void>;
}

type WatchEvent<Spec> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; resourceVersion: string; object: AppliedResource<Spec> }
  | { type: 'BOOKMARK'; resourceVersion: string };

/** A watch says something every 15 s (BOOKMARK); one that says nothing for this long is broken. */
const silenceMs = 45_000;

/** `token` gives a service token with `applied:read`. */
export function createAppliedResources<Spec>(options: {
  readonly gitops: ServiceClient;
  readonly kind: string;
  readonly token: () => Promise<string>;
  readonly log: Log;
}): AppliedResources<Spec> {
  const { gitops, kind, token, log } = options;
  const applied = new Map<string, AppliedResource<Spec>>();
  const listeners: Parameters<AppliedResources<Spec>['onChange']>[0][] = [];
  let since = '0';
  let spokeAt = -Infinity;
  let loop: Loop | undefined;

  /** Follows the watch until it breaks or goes silent, then goes on from the last version seen. */
  async function follow(stopped: AbortSignal): Promise<void> {
    const silent = new AbortController();
    let timer = setTimeout(() => silent.abort(), silenceMs);
    const signal = AbortSignal.any([stopped, silent.signal]);
    try {
      const answer = await gitops.fetch(`/applied:watch?kind=${kind}&since=${since}`, {
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
        for (const line of lines) if (line) take(JSON.parse(line) as WatchEvent<Spec>);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  function take(event: WatchEvent<Spec>): void {
    since = event.resourceVersion;
    spokeAt = performance.now();
    if (event.type === 'BOOKMARK') return;
    const { instanceId } = event.object;
    const now = event.type === 'DELETED' ? undefined : event.object;
    if (now) applied.set(instanceId, now);
    else applied.delete(instanceId);
    for (const listener of listeners) listener(instanceId, now);
  }

  return {
    async resourceOf(instanceId) {
      const known = applied.get(instanceId);
      if (known) return known;
      try {
        return await gitops.call<AppliedResource<Spec>>('GET', `/applied/${kind}/${instanceId}`, undefined, {
          deadlineMs: 2_000,
          headers: { authorization: `Bearer ${await token()}` },
        });
      } catch (error) {
        if (error instanceof ServiceError && error.status === 404) return undefined;
        throw error;
      }
    },
    all: () => applied.values(),
    fresh: () => performance.now() - spokeAt,
    onChange: (listener) => void listeners.push(listener),
    start() {
      loop = startLoop({ name: `applied ${kind}`, log, everyMs: 500, work: follow });
    },
    async stop() {
      await loop?.stop();
    },
  };
}
