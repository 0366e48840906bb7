import { serviceScope, systemScope } from '@agentstore/kernel/access';
import { ndjson } from '@agentstore/kernel/http/ndjson';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { kinds, subjectOfKind, subjects } from '../desired/subjects.ts';
import { resourceOf, resourcesSince, type AppliedResource } from './applied-resources.store.ts';

const scope = systemScope('applied');
const bookmarkMs = 15_000;
const page = 1_000;

/** What was applied, for those who act on it (router, tool gateway): get, and a watch in the manner of Kubernetes. */
export function appliedRoutes(app: ServiceApp, room: Room): void {
  app.get('/applied:watch', (c) => {
    serviceScope(c.var.caller, 'applied:read');
    const since = /^\d{1,18}$/.test(c.req.query('since') ?? '') ? BigInt(c.req.query('since')!) : 0n;
    return ndjson(watch(kindsOf(c.req.query('kind')), since, c.req.raw.signal));
  });
  app.get('/applied/:kind/:instanceId', async (c) => {
    serviceScope(c.var.caller, 'applied:read');
    const { kind, instanceId } = c.req.param();
    const found = isUuid(instanceId)
      ? await room.db.transaction(scope, (tx) => resourceOf(tx, kind, instanceId))
      : undefined;
    if (!found)
      throw new ProblemError({
        status: 404,
        code: 'NOT_APPLIED',
        title: 'Nothing is applied under this name.',
      });
    return json(objectOf(found));
  });

  async function* watch(
    kindNames: readonly string[],
    since: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<object> {
    let version = since;
    let quietSince = Date.now();
    for await (const _change of room.appliedChanges.follow('applied', signal)) {
      for (let full = true; full && !signal.aborted;) {
        const changed = await room.db.transaction(scope, (tx) =>
          resourcesSince(tx, kindNames, version, page),
        );
        for (const resource of changed)
          yield {
            type: resource.deleted ? 'DELETED' : 'MODIFIED',
            resourceVersion: resource.resourceVersion.toString(),
            object: objectOf(resource),
          };
        version = changed.at(-1)?.resourceVersion ?? version;
        if (changed.length) quietSince = Date.now();
        full = changed.length === page;
      }
      if (Date.now() - quietSince > bookmarkMs) {
        quietSince = Date.now();
        yield { type: 'BOOKMARK', resourceVersion: version.toString() };
      }
    }
  }
}

function kindsOf(text: string | undefined): string[] {
  const wanted = (text ?? kinds.join(',')).split(',');
  const unknown = wanted.find((kind) => !(kinds as readonly string[]).includes(kind));
  if (unknown !== undefined)
    throw new ProblemError({ status: 400, code: 'BAD_REQUEST', title: `There is no kind ${unknown}.` });
  return wanted;
}

const objectOf = (r: AppliedResource) => ({
  kind: r.kind,
  name: r.name,
  [subjects[subjectOfKind(r.kind)].idMember]: r.instanceId,
  organizationId: r.organizationId,
  generation: r.generation,
  commit: r.commit,
  spec: r.spec,
  conditions: r.conditions,
});
