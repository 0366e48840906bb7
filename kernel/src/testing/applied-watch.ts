import { problemResponse } from '../http/problem.ts';

/** As far as the test cares, besides whose it is. */
interface Resource {
  readonly instanceId: string;
  readonly [member: string]: unknown;
}

/** The gitops worker's face for what was applied, with the resources of one kind that a test applies: get, and a watch that goes on where it broke off. */
export function createAppliedWatch(kind: string) {
  const log: ({ type: 'MODIFIED' | 'DELETED'; object: Resource } | { type: 'BOOKMARK' })[] = [];
  const watchers = new Map<() => void, AbortController>();
  /** `since` of every watch that was opened. */
  const watched: string[] = [];
  /** Instances that were asked for by name. */
  const got: string[] = [];
  const encoder = new TextEncoder();

  function watch(since: number, signal: AbortSignal): Response {
    let version = since;
    const ended = new AbortController();
    const gone = AbortSignal.any([signal, ended.signal]);
    let wake = (): void => undefined;
    const ring = (): void => wake();
    watchers.set(ring, ended);
    gone.addEventListener('abort', ring);
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        while (version >= log.length && !gone.aborted) await new Promise<void>((resolve) => (wake = resolve));
        if (gone.aborted) {
          watchers.delete(ring);
          return controller.close();
        }
        const event = { ...log[version]!, resourceVersion: String((version += 1)) };
        controller.enqueue(encoder.encode(`${JSON.stringify(event)}\n`));
      },
    });
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
  }

  function say(event: (typeof log)[number]): void {
    log.push(event);
    watchers.forEach((_ended, ring) => ring());
  }

  return {
    watched,
    got,
    apply: (object: Resource): void => say({ type: 'MODIFIED', object }),
    remove: (object: Resource): void => say({ type: 'DELETED', object }),
    bookmark: (): void => say({ type: 'BOOKMARK' }),
    /** Ends every watch, as a restart does. */
    breakOff: (): void => watchers.forEach((ended) => ended.abort()),
    async fetch(request: Request): Promise<Response> {
      const { pathname, searchParams } = new URL(request.url);
      const instanceId = new RegExp(`^/applied/${kind}/(.+)$`).exec(pathname)?.[1];
      if (instanceId) {
        got.push(instanceId);
        const found = log.findLast(
          (event) => event.type !== 'BOOKMARK' && event.object.instanceId === instanceId,
        );
        if (found?.type === 'MODIFIED') return Response.json(found.object);
      }
      if (pathname !== '/applied:watch' || searchParams.get('kind') !== kind)
        return problemResponse({ status: 404, code: 'NOT_APPLIED', title: 'nothing' });
      watched.push(searchParams.get('since')!);
      return watch(Number(searchParams.get('since')), request.signal);
    },
  };
}
