import { beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { toGlobalId, uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { userCaller } from '@agentstore/kernel/testing/callers';
import type { Room } from '../deps.ts';
import { ordersConnector, statusConnector } from '../testing/connectors.ts';
import {
  catalogue,
  nowhere,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';
import { unremoved } from './bindings.store.ts';
import { finishBindings } from './finish-bindings.task.ts';

let app: ControlPlane;
let home: Home;
let stranger: Home;
let orders: string;
const put = async (definition: object) =>
  app.service.call<{ connectorId: Uuid; sha256: string }>('PUT', '/internal/connectors', definition);
beforeAll(async () => {
  app = await startControlPlane();
  orders = toGlobalId('Connector', (await put(ordersConnector)).connectorId);
  await put(statusConnector);
  await app.service.call('PUT', '/internal/catalogue', {
    ...catalogue,
    version: {
      ...catalogue.version,
      requiredConnectors: [
        { connector: 'orders', tools: ['find_order'] },
        { connector: 'status', tools: ['service_status'] },
        { connector: 'nobody-has-it', tools: ['anything'] },
      ],
    },
  });
  home = await app.withWorkspace();
  stranger = await app.withWorkspace();
});

interface Payload {
  connectorBinding: { id: string; state: string; secretVersion: number | null } | null;
  errors: { code: string; field: string | null; message: string }[];
}
const command = async (name: string, input: object, person = home.person): Promise<Payload> => {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
  const answer = await app.data<Record<string, Payload>>(
    person,
    `mutation ($input: ${type}!) { ${name}(input: $input) { connectorBinding { id state secretVersion } errors { code field message } } }`,
    { input },
  );
  return answer[name]!;
};
const secret = (value = 'hunter2-hunter2') => [{ name: 'apiKey', value }];
const bind = (more: object = {}, person = home.person) =>
  command(
    'connectorBind',
    {
      projectId: home.project,
      connectorId: orders,
      name: 'Production',
      secret: secret(),
      idempotencyKey: uuidv7(),
      ...more,
    },
    person,
  );
const bound = async (more: object = {}, person = home.person): Promise<string> =>
  (await bind(more, person)).connectorBinding!.id;
const rotate = (bindingId: string, expectedVersion: number, more: object = {}, person = home.person) =>
  command('connectorBindingRotate', { bindingId, expectedVersion, secret: secret('other'), ...more }, person);
const revoke = (bindingId: string, person = home.person) =>
  command('connectorBindingRevoke', { bindingId }, person);
const idOf = (globalId: string): Uuid => uuidOf('ConnectorBinding', globalId);
const stored = (globalId: string) => app.secrets.of(idOf(globalId));
const sweep = () =>
  finishBindings({ db: app.database, secrets: app.secrets, log: silentLog } as unknown as Room);

/** What Git is to hold of an instance: its generation and its rules. */
const desired = async (instance: string) => {
  const id = uuidOf('Instance', instance);
  const { items } = await app.service.call<{
    items: { instanceId: Uuid; generation: number; connectorRules: { tool: string; bindingId?: string }[] }[];
  }>('POST', '/internal/gitops:claim', { writerId: uuidv7(), limit: 500, waitMs: 0 });
  const found = items.find(({ instanceId }) => instanceId === id);
  return found && { generation: found.generation, rules: found.connectorRules };
};
const generationOf = async (instance: string): Promise<number> =>
  (
    await app.rows<{ desired_generation: number }>('select desired_generation from instance where id = $1', [
      uuidOf('Instance', instance),
    ])
  )[0]!.desired_generation;

describe('binding', () => {
  it('puts the secret into the store under organization, project and binding, and its metadata into the row', async () => {
    const { connectorBinding, errors } = await bind();
    expect(errors).toEqual([]);
    expect(connectorBinding).toMatchObject({ state: 'ACTIVE', secretVersion: 1 });
    const id = idOf(connectorBinding!.id);
    expect(app.secrets.pathOf(id)).toBe(`${home.organizationId}/${uuidOf('Project', home.project)}/${id}`);
    expect(stored(connectorBinding!.id)).toEqual({ version: 1, fields: { apiKey: 'hunter2-hunter2' } });
  });

  it('is once per key: the same again is the same, another wish under it is refused', async () => {
    const idempotencyKey = uuidv7();
    const all = await Promise.all(Array.from({ length: 6 }, () => bind({ idempotencyKey })));
    expect(new Set(all.map(({ connectorBinding }) => connectorBinding!.id)).size).toBe(1);
    expect(await bind({ idempotencyKey })).toMatchObject({
      connectorBinding: { state: 'ACTIVE', secretVersion: 1 },
    });
    expect(await bind({ idempotencyKey, name: 'Test' })).toMatchObject({
      connectorBinding: null,
      errors: [{ code: 'IDEMPOTENCY_CONFLICT' }],
    });
  });

  it.each<[string, object, string]>([
    ['no such project', { projectId: nowhere('Project') }, 'PROJECT_NOT_FOUND'],
    ['a project that is no id', { projectId: 'x' }, 'PROJECT_NOT_FOUND'],
    ['no such connector', { connectorId: nowhere('Connector') }, 'CONNECTOR_NOT_FOUND'],
    ['a field less', { secret: [] }, 'SECRET_FIELDS_MISMATCH'],
    ['a field more', { secret: [...secret(), { name: 'more', value: 'hunter2' }] }, 'SECRET_FIELDS_MISMATCH'],
    ['a line break in it', { secret: secret('hunter2\r\nHost: evil') }, 'INVALID_SECRET'],
    ['nothing in it', { secret: secret('') }, 'INVALID_SECRET'],
    ['a secret of another shape', { secret: { apiKey: 'hunter2' } }, 'INVALID_SECRET'],
    ['a number for a secret', { secret: [{ name: 'apiKey', value: 4_711_4711 }] }, 'INVALID_SECRET'],
    ['no name', { name: ' ' }, 'INVALID_INPUT'],
    ['a key that is none', { idempotencyKey: '' }, 'INVALID_INPUT'],
  ])('with %s is refused, and nothing is kept or told', async (_name, more, code) => {
    const before = await app.rows('select id from connector_binding');
    const answer = await bind(more);
    expect(answer).toMatchObject({ connectorBinding: null, errors: [{ code }] });
    expect(JSON.stringify(answer)).not.toMatch(/hunter2|4711/);
    expect(await app.rows('select id from connector_binding')).toEqual(before);
  });

  it.each<[string, object]>([
    ['a member that is missing', { projectId: undefined }],
    ['a member that nobody knows', { project: 'x' }],
    ['a member of another type', { name: { a: 1 } }],
  ])('is told what does not fit, and never the secret: %s', async (_name, more) => {
    const answer = await app.graph(
      home.person,
      'mutation ($input: ConnectorBindInput!) { connectorBind(input: $input) { errors { code } } }',
      {
        input: {
          projectId: home.project,
          connectorId: orders,
          name: 'n',
          secret: secret(),
          idempotencyKey: 'k',
          ...more,
        },
      },
    );
    expect(answer.errors).toMatchObject([
      {
        message: expect.stringMatching(
          /^Variable "\$input" got invalid value( at "input.name")?; /,
        ) as string,
      },
    ]);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('of a connector that needs no secret is refused', async () => {
    const { connectorId } = await put(statusConnector);
    expect(await bind({ connectorId: toGlobalId('Connector', connectorId), secret: [] })).toMatchObject({
      errors: [{ code: 'INVALID_INPUT', field: 'connectorId' }],
    });
  });

  it('while the secret store is away loses nothing: the same command goes on once it is back', async () => {
    const idempotencyKey = uuidv7();
    app.secrets.down = true;
    expect(await bind({ idempotencyKey })).toMatchObject({ errors: [{ code: 'SECRET_STORE_UNAVAILABLE' }] });
    app.secrets.down = false;
    const again = await bind({ idempotencyKey });
    expect(again).toMatchObject({ errors: [], connectorBinding: { state: 'ACTIVE', secretVersion: 1 } });
    expect(stored(again.connectorBinding!.id)).toMatchObject({ version: 1 });
  });

  it('that died between the store and the row is finished by the same command, with the secret of that one', async () => {
    const idempotencyKey = uuidv7();
    app.secrets.afterWrite = async () => Promise.reject(new Error('the process dies here'));
    expect(
      (
        await app.graph(
          home.person,
          'mutation ($input: ConnectorBindInput!) { connectorBind(input: $input) { errors { code } } }',
          {
            input: {
              projectId: home.project,
              connectorId: orders,
              name: 'Production',
              secret: secret(),
              idempotencyKey,
            },
          },
        )
      ).errors,
    ).toMatchObject([{ extensions: { code: 'INTERNAL' } }]);
    const again = await bind({ idempotencyKey, secret: secret('second') });
    expect(again).toMatchObject({ connectorBinding: { state: 'ACTIVE', secretVersion: 2 } });
    expect(stored(again.connectorBinding!.id)).toEqual({ version: 2, fields: { apiKey: 'second' } });
    // The row and the store agree again, so the next rotation finds the version it expects.
    expect(await rotate(again.connectorBinding!.id, 2)).toMatchObject({
      connectorBinding: { secretVersion: 3 },
    });
  });

  it('is another process’ while it holds the claim, and anybody’s after it', async () => {
    const idempotencyKey = uuidv7();
    app.secrets.down = true;
    await bind({ idempotencyKey });
    app.secrets.down = false;
    const claim = (until: string) =>
      app.rows(
        `update connector_binding set write_claimed_until = now() + interval '${until}' where idempotency_key = $1`,
        [idempotencyKey],
      );
    await claim('1 minute');
    expect(await bind({ idempotencyKey })).toMatchObject({
      errors: [],
      connectorBinding: { state: 'PENDING', secretVersion: null },
    });
    await claim('-1 second');
    expect(await bind({ idempotencyKey })).toMatchObject({ connectorBinding: { state: 'ACTIVE' } });
  });

  it('that is revoked while its secret is written leaves no secret behind', async () => {
    const idempotencyKey = uuidv7();
    let id = '';
    app.secrets.beforeWrite = async () => {
      const [row] = await app.rows<{ id: string }>(
        'select id from connector_binding where idempotency_key = $1',
        [idempotencyKey],
      );
      id = toGlobalId('ConnectorBinding', row!.id);
      expect(await revoke(id)).toMatchObject({ connectorBinding: { state: 'REVOKED' } });
    };
    expect(await bind({ idempotencyKey })).toMatchObject({
      connectorBinding: null,
      errors: [{ code: 'BINDING_REVOKED' }],
    });
    expect(stored(id)).toBeUndefined();
    const [row] = await app.rows(
      'select state, removed_at, write_claimed_until from connector_binding where id = $1',
      [idOf(id)],
    );
    expect(row).toEqual({
      state: 'REVOKED',
      removed_at: expect.any(Date) as Date,
      write_claimed_until: null,
    });
  });
});

describe('rotating', () => {
  it('replaces the version that was read, and no other', async () => {
    const id = await bound();
    expect(await rotate(id, 1)).toMatchObject({ connectorBinding: { state: 'ACTIVE', secretVersion: 2 } });
    expect(await rotate(id, 1)).toMatchObject({
      errors: [{ code: 'VERSION_CONFLICT', field: 'expectedVersion' }],
    });
    expect(stored(id)).toEqual({ version: 2, fields: { apiKey: 'other' } });
  });

  it('by two at once is done by one', async () => {
    const id = await bound();
    const both = await Promise.all([
      rotate(id, 1, { secret: secret('a') }),
      rotate(id, 1, { secret: secret('b') }),
    ]);
    expect(both.map(({ errors }) => errors[0]?.code ?? 'done').sort()).toEqual(['VERSION_CONFLICT', 'done']);
    expect(stored(id)!.version).toBe(2);
  });

  it('while the secret store is away changes nothing, and can be repeated', async () => {
    const id = await bound();
    app.secrets.down = true;
    expect(await rotate(id, 1)).toMatchObject({ errors: [{ code: 'SECRET_STORE_UNAVAILABLE' }] });
    app.secrets.down = false;
    expect(await rotate(id, 1)).toMatchObject({ connectorBinding: { secretVersion: 2 } });
  });

  it('of what is revoked, or never got its secret, is refused', async () => {
    const id = await bound();
    await revoke(id);
    expect(await rotate(id, 1)).toMatchObject({ errors: [{ code: 'BINDING_REVOKED' }] });
    app.secrets.down = true;
    const idempotencyKey = uuidv7();
    await bind({ idempotencyKey });
    app.secrets.down = false;
    const [row] = await app.rows<{ id: string }>(
      'select id from connector_binding where idempotency_key = $1',
      [idempotencyKey],
    );
    expect(await rotate(toGlobalId('ConnectorBinding', row!.id), 0)).toMatchObject({
      errors: [{ code: 'VERSION_CONFLICT' }],
    });
  });
});

describe('revoking', () => {
  it('is for good, removes the secret, and again changes nothing', async () => {
    const id = await bound();
    for (let time = 0; time < 2; time++)
      expect(await revoke(id)).toMatchObject({ connectorBinding: { state: 'REVOKED' }, errors: [] });
    expect(stored(id)).toBeUndefined();
    await expect(
      app.rows("update connector_binding set state = 'ACTIVE' where id = $1", [idOf(id)]),
    ).rejects.toThrow(/for good/);
  });

  it('cuts the access also while the secret store is away; the sweep removes the secret later', async () => {
    const id = await bound();
    app.secrets.down = true;
    expect(await revoke(id)).toMatchObject({ connectorBinding: { state: 'REVOKED' }, errors: [] });
    await expect(sweep()).rejects.toThrow('sealed');
    app.secrets.down = false;
    expect(stored(id)).toBeDefined();
    await sweep();
    expect(stored(id)).toBeUndefined();
    expect(await app.database.transaction(systemScope('test'), unremoved)).toEqual([]);
  });

  it('is what becomes of a binding that never got its secret, after an hour and not before', async () => {
    const idempotencyKey = uuidv7();
    app.secrets.down = true;
    await bind({ idempotencyKey });
    app.secrets.down = false;
    const state = async () =>
      (
        await app.rows<{ state: string }>('select state from connector_binding where idempotency_key = $1', [
          idempotencyKey,
        ])
      )[0]!.state;
    await sweep();
    expect(await state()).toBe('PENDING');
    await app.rows(
      "update connector_binding set created_at = now() - interval '61 minutes' where idempotency_key = $1",
      [idempotencyKey],
    );
    await sweep();
    expect(await state()).toBe('REVOKED');
    expect(await bind({ idempotencyKey })).toMatchObject({ connectorBinding: { state: 'REVOKED' } });
  });
});

describe('strangers', () => {
  it('find no binding, no project and no connector of somebody else', async () => {
    const id = await bound();
    expect(await rotate(id, 1, {}, stranger.person)).toMatchObject({
      errors: [{ code: 'BINDING_NOT_FOUND' }],
    });
    expect(await revoke(id, stranger.person)).toMatchObject({ errors: [{ code: 'BINDING_NOT_FOUND' }] });
    expect(await bind({}, stranger.person)).toMatchObject({ errors: [{ code: 'PROJECT_NOT_FOUND' }] });
    expect(stored(id)).toMatchObject({ version: 1 });
  });

  it('who may look but not manage are told so', async () => {
    const id = await bound();
    const viewer = userCaller([{ organizationId: home.organizationId, role: 'VIEWER' }]) as Home['person'];
    const mutation = (name: string, input: object) =>
      app.graph(
        viewer,
        `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { errors { code } } }`,
        { input },
      );
    for (const answer of [
      await mutation('connectorBindingRevoke', { bindingId: id }),
      await mutation('connectorBindingRotate', { bindingId: id, expectedVersion: 1, secret: secret() }),
      await mutation('connectorBind', {
        projectId: home.project,
        connectorId: orders,
        name: 'n',
        secret: secret(),
        idempotencyKey: 'k',
      }),
    ])
      expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });

  it('of two organizations bind nothing of the one in the other', async () => {
    const { connectorImport } = await app.data<{ connectorImport: { connector: { id: string } } }>(
      stranger.person,
      'mutation ($input: ConnectorImportInput!) { connectorImport(input: $input) { connector { id } } }',
      {
        input: {
          organizationId: stranger.organization,
          slug: 'theirs',
          url: 'https://mcp.example.com/mcp',
          mcpTools: { tools: [{ name: 'ping', inputSchema: { type: 'object' } }] },
          auth: { type: 'BEARER' },
        },
      },
    );
    const both = userCaller([...home.person.memberships, ...stranger.person.memberships]) as Home['person'];
    const theirs = { connectorId: connectorImport.connector.id, secret: [{ name: 'token', value: 't' }] };
    expect(await bind(theirs, both)).toMatchObject({ errors: [{ code: 'CONNECTOR_NOT_FOUND' }] });
    expect(await bind({ ...theirs, projectId: stranger.project }, both)).toMatchObject({ errors: [] });
  });
});

describe('what an instance may call', () => {
  it('follows the newest live binding of its project, and changes the instance only when that changes', async () => {
    const own = await app.withWorkspace();
    const mine = { projectId: own.project };
    const instance = await app.activate(own.person, own.project);
    const other = await app.activate(stranger.person, stranger.project);
    const rules = async () =>
      (await desired(instance))!.rules.map(({ tool, bindingId }) => [tool, bindingId]);
    const status = ['status__service_status', undefined];
    expect(await rules()).toEqual([status]);
    const first = await bound(mine, own.person);
    expect(await rules()).toEqual([['orders__find_order', idOf(first)], status]);
    const second = await bound(mine, own.person);
    expect(await desired(instance)).toMatchObject({
      generation: 3,
      rules: [{ bindingId: idOf(second) }, {}],
    });
    await rotate(second, 1, {}, own.person);
    await revoke(first, own.person);
    expect(await generationOf(instance)).toBe(3);
    const third = await bound(mine, own.person);
    await revoke(third, own.person);
    expect(await desired(instance)).toMatchObject({
      generation: 5,
      rules: [{ bindingId: idOf(second) }, {}],
    });
    await revoke(second, own.person);
    expect(await rules()).toEqual([status]);
    expect(await generationOf(other)).toBe(1);
    const { instance: seen } = await app.data<{ instance: { timeline: { kind: string }[] } }>(
      own.person,
      'query ($id: ID!) { instance(id: $id) { timeline { kind } } }',
      { id: instance },
    );
    expect(seen.timeline.filter(({ kind }) => kind === 'tools-changed')).toHaveLength(5);
  });

  it('is what its runs are granted, in its own project', async () => {
    const own = await app.withWorkspace();
    const instance = await app.activate(own.person, own.project);
    const binding = await bound({ projectId: own.project }, own.person);
    expect(
      await app.service.call('GET', `/instances/${uuidOf('Instance', instance)}/entitlements`),
    ).toMatchObject({
      projectId: uuidOf('Project', own.project),
      toolGrants: { tools: ['orders__find_order', 'status__service_status'], bindings: [idOf(binding)] },
    });
  });

  it('stays what it is while a secret waits to be given anew, so that the refusal can say so', async () => {
    const own = await app.withWorkspace();
    const instance = await app.activate(own.person, own.project);
    const binding = await bound({ projectId: own.project }, own.person);
    const before = await desired(instance);
    await app.service.call('POST', '/internal/bindings:observed', {
      items: [{ bindingId: idOf(binding), unauthorized: true }],
    });
    expect(await desired(instance)).toEqual(before);
    expect(await rotate(binding, 1, {}, own.person)).toMatchObject({
      connectorBinding: { state: 'ACTIVE', secretVersion: 2 },
    });
  });

  it('is read for a hundred instances in the statements of one', async () => {
    const own = await app.withWorkspace();
    const instances = await Promise.all([1, 2, 3].map(() => app.activate(own.person, own.project)));
    const binding = await bound({ projectId: own.project }, own.person);
    const { project } = await app.data<{
      project: {
        connectorBindings: object[];
        instances: { edges: { node: { connectorBindings: { id: string }[] } }[] };
      };
    }>(
      own.person,
      `query ($id: ID!) { project(id: $id) { connectorBindings { id name state secretVersion lastUsedAt rotatedAt connector { slug kind secretFields organization { id } } project { id } tools { id risk } }
        instances { edges { node { connectorBindings { id } toolRules { tool } version { requiredConnectors { connector tools arguments } } } } } } }`,
      { id: own.project },
    );
    expect(project.connectorBindings).toEqual([
      {
        id: binding,
        name: 'Production',
        state: 'ACTIVE',
        secretVersion: 1,
        lastUsedAt: null,
        rotatedAt: null,
        connector: { slug: 'orders', kind: 'REST', secretFields: ['apiKey'], organization: null },
        project: { id: own.project },
        tools: [{ id: 'orders__find_order', risk: 'READ' }],
      },
    ]);
    expect(project.instances.edges.map(({ node }) => node.connectorBindings)).toEqual(
      instances.map(() => [{ id: binding }]),
    );
  });
});

describe('observed uses', () => {
  const observe = (...items: object[]) => app.service.call('POST', '/internal/bindings:observed', { items });
  const row = async (id: string) =>
    (
      await app.rows<{ state: string; last_used_at: Date | null }>(
        'select state, last_used_at from connector_binding where id = $1',
        [idOf(id)],
      )
    )[0]!;

  it('keep the newest time, and none of the future', async () => {
    const id = await bound();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const [old, recent] = [at(-60_000), at(-1_000)];
    await observe(
      { bindingId: idOf(id), usedAt: recent },
      { bindingId: idOf(id), usedAt: old },
      { bindingId: uuidv7(), usedAt: recent },
    );
    expect((await row(id)).last_used_at!.toISOString()).toBe(recent);
    await observe({ bindingId: idOf(id), usedAt: at(3_600_000) });
    expect((await row(id)).last_used_at!.getTime()).toBeLessThan(Date.now() + 1_000);
  });

  it('that the upstream refused say nothing of a secret that was given since', async () => {
    const id = await bound();
    const usedAt = new Date().toISOString();
    await rotate(id, 1);
    await observe({ bindingId: idOf(id), usedAt, unauthorized: true });
    expect((await row(id)).state).toBe('ACTIVE');
    await observe({
      bindingId: idOf(id),
      usedAt: new Date(Date.now() + 1_000).toISOString(),
      unauthorized: true,
    });
    expect((await row(id)).state).toBe('NEEDS_REAUTHORIZATION');
    await revoke(id);
    await observe({ bindingId: idOf(id), unauthorized: true });
    expect((await row(id)).state).toBe('REVOKED');
  });
});

describe('over REST', () => {
  const body = () => ({
    projectId: uuidOf('Project', home.project),
    connector: 'orders',
    name: 'By a service',
    secret: secret(),
    idempotencyKey: uuidv7(),
  });

  it('a service binds and revokes with the same rules', async () => {
    const made = await app.service.call<{ id: Uuid }>('POST', '/connectors/bindings', body());
    expect(made).toMatchObject({ state: 'ACTIVE', secretVersion: 1 });
    expect(await app.service.call('POST', `/connectors/bindings/${made.id}/revoke`)).toMatchObject({
      state: 'REVOKED',
    });
    for (const id of [uuidv7(), 'nonsense'])
      await expect(app.service.call('POST', `/connectors/bindings/${id}/revoke`)).rejects.toMatchObject({
        status: 404,
        code: 'BINDING_NOT_FOUND',
      });
    await expect(
      app.service.call('POST', '/connectors/bindings', { ...body(), secret: [] }),
    ).rejects.toMatchObject({ status: 400, code: 'SECRET_FIELDS_MISMATCH' });
    app.secrets.down = true;
    await expect(app.service.call('POST', '/connectors/bindings', body())).rejects.toMatchObject({
      status: 503,
    });
    app.secrets.down = false;
  });

  it.each<['GET' | 'POST' | 'PUT', string]>([
    ['PUT', '/internal/connectors'],
    ['GET', `/internal/connector-definitions/${'a'.repeat(64)}`],
    ['GET', '/internal/tool-access:watch'],
    ['POST', '/internal/bindings:observed'],
    ['POST', '/connectors/bindings'],
    ['POST', `/connectors/bindings/${uuidv7()}/revoke`],
  ])('%s %s is for services with its permission only', async (method, path) => {
    await expect(
      app.clientWith('gitops:write').call(method, path, method === 'GET' ? undefined : {}),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
