import type { Membership } from '@agentstore/kernel/caller';
import { problemResponse } from '@agentstore/kernel/http/problem';
import { uuidv7 } from '@agentstore/kernel/ids';
import { withReadiness } from './readiness.ts';

interface Person {
  userId: string;
  saleorUserId: string | null;
  memberships: Membership[];
}

/** A control plane that knows one person per subject, and the API keys a test gives it. */
export function createControlPlane() {
  const people = new Map<string, Person>();
  const apiKeys = new Map<string, { apiKeyId: string; organizationId: string; scopes: string[] }>();
  const asked: string[] = [];
  return {
    people,
    apiKeys,
    asked,
    fetch: withReadiness(async (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const body = (await request.json()) as Record<string, string>;
      if (pathname === '/internal/callers:resolve') {
        const subject = body['subject']!;
        const person = people.get(subject) ?? { userId: uuidv7(), saleorUserId: null, memberships: [] };
        people.set(subject, person);
        return Response.json(person);
      }
      if (pathname === '/internal/api-keys:verify') {
        const key = apiKeys.get(body['key']!);
        return key
          ? Response.json(key)
          : problemResponse({ status: 401, code: 'API_KEY_INVALID', title: 'no such key' });
      }
      const userId = /^\/internal\/users\/([^/]+)\/saleor-user$/.exec(pathname)?.[1];
      for (const person of people.values())
        if (person.userId === userId) person.saleorUserId = body['saleorUserId']!;
      return Response.json({});
    }),
  };
}

type Phase = 'Active' | 'Paused' | 'Terminated';

/** A gitops worker with the routes a test applies: get, and a watch that goes on where it broke off. */
export function createGitops() {
  const log: { type: 'MODIFIED' | 'DELETED'; object: { instanceId: string } }[] = [];
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

  return {
    watched,
    got,
    apply(
      instanceId: string,
      organizationId: string,
      phase: Phase,
      type: 'MODIFIED' | 'DELETED' = 'MODIFIED',
    ): void {
      const spec = { path: '', paused: phase !== 'Active', desiredPhase: phase };
      log.push({ type, object: { instanceId, organizationId, spec } as { instanceId: string } });
      watchers.forEach((_ended, ring) => ring());
    },
    /** Ends every watch, as a restart does. */
    breakOff: (): void => watchers.forEach((ended) => ended.abort()),
    fetch: withReadiness(async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const instanceId = /^\/applied\/GatewayRoute\/(.+)$/.exec(pathname)?.[1];
      if (instanceId) {
        got.push(instanceId);
        const found = log.findLast(({ object }) => object.instanceId === instanceId);
        return found && found.type !== 'DELETED'
          ? Response.json(found.object)
          : problemResponse({ status: 404, code: 'NOT_APPLIED', title: 'nothing' });
      }
      watched.push(searchParams.get('since')!);
      return watch(Number(searchParams.get('since')), request.signal);
    }),
  };
}
