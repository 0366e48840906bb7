import type { Membership } from '@agentstore/kernel/caller';
import { problemResponse, type Problem } from '@agentstore/kernel/http/problem';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { WidgetSession } from '@agentstore/kernel/widget-session';
import { createAppliedWatch } from '@agentstore/kernel/testing/applied-watch';
import type { RouteSpec } from '../policy/route-spec.ts';

import { withReadiness } from './readiness.ts';

interface Person {
  userId: string;
  saleorUserId: string | null;
  memberships: Membership[];
}

/** A control plane that knows one person per subject, and the API keys and widgets' sessions a test gives it. */
export function createControlPlane() {
  const people = new Map<string, Person>();
  const apiKeys = new Map<string, { apiKeyId: string; organizationId: string; scopes: string[] }>();
  const widgets = {
    /** What `:init` answers, by widget key. */
    sessions: new Map<string, WidgetSession | Problem>(),
    /** Why a session may not go on, by its id. */
    faults: new Map<string, Problem>(),
    asked: [] as Record<string, string>[],
  };
  const asked: string[] = [];
  return {
    people,
    apiKeys,
    widgets,
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
      if (pathname.startsWith('/internal/widget-sessions:')) {
        widgets.asked.push({ verb: pathname.split(':')[1]!, ...body });
        const session = widgets.sessions.get(body['widgetKey'] ?? '');
        const fault = widgets.faults.get(body['sessionId'] ?? '');
        if (fault) return problemResponse(fault);
        if (!pathname.endsWith(':init')) return new Response(null, { status: 204 });
        if (session && 'handle' in session) return Response.json(session);
        return problemResponse(
          (session as Problem | undefined) ?? {
            status: 404,
            code: 'WIDGET_NOT_FOUND',
            title: 'no such widget',
          },
        );
      }
      const userId = /^\/internal\/users\/([^/]+)\/saleor-user$/.exec(pathname)?.[1];
      for (const person of people.values())
        if (person.userId === userId) person.saleorUserId = body['saleorUserId']!;
      return Response.json({});
    }),
  };
}

type Phase = 'Active' | 'Paused' | 'Terminated';

/** A gitops worker with the routes a test applies. */
export function createGitops() {
  const watch = createAppliedWatch('GatewayRoute');
  return {
    apply(instanceId: string, organizationId: string, phase: Phase): void {
      const spec: RouteSpec = { paused: phase !== 'Active', desiredPhase: phase };
      watch.apply({ instanceId, organizationId, spec });
    },
    fetch: withReadiness(watch.fetch),
  };
}
