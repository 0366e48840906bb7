import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { ordersConnector } from '../testing/connectors.ts';
import {
  catalogue,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';
import { cursorAnHourAgo, pruneToolAccess, toolAccessSince } from './tool-access.store.ts';

let app: ControlPlane;
let home: Home;
let orders: string;
beforeAll(async () => {
  app = await startControlPlane();
  await app.service.call('PUT', '/internal/catalogue', catalogue);
  const { connectorId } = await app.service.call<{ connectorId: Uuid }>(
    'PUT',
    '/internal/connectors',
    ordersConnector,
  );
  orders = toGlobalId('Connector', connectorId);
  home = await app.withWorkspace();
});

interface Line {
  type: 'BINDING' | 'INSTANCE' | 'BOOKMARK';
  cursor: string;
  bindingId?: Uuid;
  state?: string;
  secretVersion?: number;
  instanceId?: Uuid;
  phase?: string;
}
const command = (name: string, input: object) =>
  app.data<Record<string, { connectorBinding: { id: string } }>>(
    home.person,
    `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${name.startsWith('connector') ? 'connectorBinding { id }' : ''} errors { code } } }`,
    { input },
  );
const secret = [{ name: 'apiKey', value: 'v' }];
const bind = async (): Promise<string> =>
  (
    await command('connectorBind', {
      projectId: home.project,
      connectorId: orders,
      name: 'n',
      secret,
      idempotencyKey: uuidv7(),
    })
  )['connectorBind']!.connectorBinding.id;
/** The cursor of the newest change. */
const head = async (): Promise<string> =>
  (
    await app.rows<{ cursor: string }>(
      'select coalesce(max(cursor), 0)::text as cursor from tool_access_change',
    )
  )[0]!.cursor;
const watch = (since: string | undefined, signal: AbortSignal) =>
  app.lines<Line>(`/internal/tool-access:watch${since === undefined ? '' : `?since=${since}`}`, signal);
/** What is told after a cursor until nothing is left to tell. */
async function told(since: string | undefined): Promise<Line[]> {
  const stop = new AbortController();
  const lines: Line[] = [];
  for await (const line of watch(since, stop.signal)) {
    if (line.type === 'BOOKMARK') break;
    lines.push(line);
  }
  stop.abort();
  return lines;
}

describe('the watch of what the tool gateway may use', () => {
  it('tells of bindings that become usable, get another secret or end, and of instances that stop, as they are now', async () => {
    const since = await head();
    const id = await bind();
    const bindingId = uuidOf('ConnectorBinding', id);
    const instance = await app.activate(home.person, home.project);
    await command('connectorBindingRotate', { bindingId: id, expectedVersion: 1, secret });
    expect(await told(since)).toMatchObject([
      { type: 'BINDING', bindingId, state: 'ACTIVE', secretVersion: 2 },
      { type: 'BINDING', bindingId, state: 'ACTIVE', secretVersion: 2 },
    ]);
    const later = await head();
    await command('instancePause', { instanceId: instance });
    await command('instanceConfigure', { instanceId: instance, config: { tone: 'formal' } });
    await command('connectorBindingRevoke', { bindingId: id });
    expect(await told(later)).toMatchObject([
      { type: 'INSTANCE', instanceId: uuidOf('Instance', instance), phase: 'Paused' },
      { type: 'BINDING', bindingId, state: 'REVOKED' },
    ]);
    expect((await told(undefined)).length).toBeGreaterThan(3);
    expect(await told(await head())).toEqual([]);
  });

  it('tells of a change as it comes, gives a cursor to go on from, and ends when the follower hangs up', async () => {
    const id = await bind();
    const stop = new AbortController();
    const lines = watch(await head(), stop.signal);
    expect((await lines.next()).value).toEqual({ type: 'BOOKMARK', cursor: await head() });
    const next = lines.next();
    await command('connectorBindingRevoke', { bindingId: id });
    expect((await next).value).toMatchObject({ type: 'BINDING', state: 'REVOKED', cursor: await head() });
    stop.abort();
    expect(await lines.next()).toEqual({ done: true, value: undefined });
  });

  it('takes no cursor that is none', async () => {
    for (const since of ['x', '-1', '1.5', '9'.repeat(30)])
      await expect(
        app.service.call('GET', `/internal/tool-access:watch?since=${since}`),
      ).rejects.toMatchObject({ status: 400 });
  });

  it('misses nothing of transactions that overlap: cursors become visible in their order', async () => {
    const ids = (await Promise.all([bind(), bind()])).map((id) => uuidOf('ConnectorBinding', id));
    const since = BigInt(await head());
    const clients = await Promise.all(
      ids.map(async () => {
        const client = new pg.Client({
          connectionString: app.adminUrl,
          options: '-c search_path=control_plane,public',
        });
        await client.connect();
        return client;
      }),
    );
    const [first, second] = clients as [pg.Client, pg.Client];
    const touch = (client: pg.Client, id: string) =>
      client.query("update connector_binding set state = 'NEEDS_REAUTHORIZATION' where id = $1", [id]);
    const seen = async () =>
      (await app.database.transaction(systemScope('test'), (tx) => toolAccessSince(tx, since, 10))).map(
        (change) => (change.type === 'BINDING' ? change.bindingId : ''),
      );
    try {
      // The first to change is the last to commit: its cursor is given at the commit, so it comes after the other's.
      await first.query('begin');
      await touch(first, ids[0]!);
      await second.query('begin');
      await touch(second, ids[1]!);
      await second.query('commit');
      expect(await seen()).toEqual([ids[1]]);
      // One that has its cursor and has not committed holds up whoever wants the next one.
      await first.query('set constraints all immediate');
      await second.query('begin');
      await second.query("update connector_binding set state = 'ACTIVE' where id = $1", [ids[1]]);
      const committing = second.query('commit');
      expect(await seen()).toEqual([ids[1]]);
      await first.query('commit');
      await committing;
      expect(await seen()).toEqual([ids[1], ids[0], ids[1]]);
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  });

  it('tells who has no cursor of the last hour, and keeps a week', async () => {
    await bind();
    const age = (interval: string) =>
      app.rows(`update tool_access_change set at = now() - interval '${interval}'`);
    const old = await head();
    await age('61 minutes');
    await bind();
    const start = await app.database.transaction(systemScope('test'), cursorAnHourAgo);
    expect(start.toString()).toBe(old);
    expect(await told(undefined)).toHaveLength(1);
    await age('8 days');
    await app.database.transaction(systemScope('test'), pruneToolAccess);
    expect(await told(undefined)).toEqual([]);
  });
});
