import { serviceScope, type Scope } from '@agentstore/kernel/access';
import { ndjson } from '@agentstore/kernel/http/ndjson';
import { ProblemError } from '@agentstore/kernel/http/problem';
import type { ServiceApp } from '@agentstore/kernel/http/service-app';
import type { Room } from '../deps.ts';
import { cursorAnHourAgo, toolAccessSince, type ToolAccessChange } from './tool-access.store.ts';

const bookmarkMs = 5_000;
const page = 1_000;

/** For the tool gateway: what it has to forget or refuse at once, in the order in which it became true. */
export function toolAccessRoutes(app: ServiceApp, room: Room): void {
  app.get('/internal/tool-access:watch', (c) => {
    const scope = serviceScope(c.var.caller, 'connector:read');
    const since = c.req.query('since');
    if (since !== undefined && !/^\d{1,18}$/.test(since))
      throw new ProblemError({
        status: 400,
        code: 'BAD_REQUEST',
        title: 'since is no cursor of this watch.',
      });
    return ndjson(
      followToolAccess(room, scope, {
        since: since === undefined ? undefined : BigInt(since),
        signal: c.req.raw.signal,
      }),
    );
  });
}

async function* followToolAccess(
  { db, toolAccessChanges }: Room,
  scope: Scope,
  { since, signal }: { since: bigint | undefined; signal: AbortSignal },
): AsyncGenerator<object> {
  let cursor = since ?? (await db.transaction(scope, cursorAnHourAgo));
  let toldAt = 0;
  for await (const _change of toolAccessChanges.follow('changed', signal)) {
    for (let full = true; full && !signal.aborted;) {
      const changes = await db.transaction(scope, (tx) => toolAccessSince(tx, cursor, page));
      for (const change of changes) yield lineOf(change);
      cursor = changes.at(-1)?.cursor ?? cursor;
      full = changes.length === page;
    }
    // The first one at once: whoever follows knows then that nothing came before it.
    if (Date.now() - toldAt >= bookmarkMs) {
      toldAt = Date.now();
      yield { type: 'BOOKMARK', cursor: cursor.toString() };
    }
  }
}

function lineOf(change: ToolAccessChange): object {
  const cursor = change.cursor.toString();
  if (change.type === 'INSTANCE')
    return { type: change.type, cursor, instanceId: change.instanceId, phase: change.phase };
  const { type, bindingId, state, secretVersion } = change;
  return { type, cursor, bindingId, state, secretVersion };
}
