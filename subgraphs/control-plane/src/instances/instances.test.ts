import { beforeAll, describe, expect, it } from 'vitest';
import { organizationScope } from '@agentstore/kernel/access';
import { anonymous } from '@agentstore/kernel/caller';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { apiKeyCaller, widgetCaller } from '@agentstore/kernel/testing/callers';
import {
  catalogue,
  commit,
  nowhere,
  startControlPlane,
  uuidOf,
  type ControlPlane,
  type Home,
} from '../testing/control-plane-app.ts';

let app: ControlPlane;
let mine: Home;
let theirs: Home;
let offeringId: string;
beforeAll(async () => {
  app = await startControlPlane();
  ({ offeringId } = await app.service.call<{ offeringId: string }>('PUT', '/internal/catalogue', catalogue));
  mine = await app.withWorkspace();
  theirs = await app.withWorkspace();
});

interface Payload {
  instance: { id: string; state: string; desiredGeneration: number; effectiveConfig: object } | null;
  errors: { code: string; field: string | null }[];
}
const command = async (name: string, input: object, home: Home = mine): Promise<Payload> => {
  const type = `${name[0]!.toUpperCase()}${name.slice(1)}Input`;
  const answer = await app.data<Record<string, Payload>>(
    home.person,
    `mutation ($input: ${type}!) { ${name}(input: $input) { instance { id state desiredGeneration effectiveConfig } errors { code field } } }`,
    { input },
  );
  return answer[name]!;
};
const read = async (id: string, home: Home = mine) =>
  (
    await app.data<{ instance: { state: string; observedGeneration: number; timeline: { kind: string }[] } }>(
      home.person,
      'query ($id: ID!) { instance(id: $id) { state observedGeneration timeline { kind } } }',
      { id },
    )
  ).instance;

describe('an instance', () => {
  it('is made once per key, and a key of another instance is refused', async () => {
    const key = uuidv7();
    const made = await Promise.all(
      Array.from({ length: 10 }, () => app.activate(mine.person, mine.project, key)),
    );
    expect(new Set(made).size).toBe(1);
    const [{ id }] = (await app.rows<{ id: string }>(
      "insert into project (id, organization_id, slug, name) values ($1, $2, 'second', 'Second') returning id",
      [uuidv7(), mine.organizationId],
    )) as [{ id: string }];
    const elsewhere = Buffer.from(`Project:${id}`).toString('base64url');
    expect(
      await command('instanceAutoActivate', {
        projectId: elsewhere,
        offeringSlug: catalogue.offering.slug,
        idempotencyKey: key,
      }),
    ).toMatchObject({ instance: null, errors: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
  });

  it('is the answer of its key for ever, and the key with another wish is refused', async () => {
    const key = uuidv7();
    const wish = (more: object) =>
      command('instanceAutoActivate', { projectId: mine.project, idempotencyKey: key, ...more });
    const first = await wish({ offeringSlug: catalogue.offering.slug });
    const version = { ...catalogue.version, version: '9.0.0', objectKey: 'support-agent/9.json' };
    const { versionId } = await app.service.call<{ versionId: string }>('PUT', '/internal/catalogue', {
      ...catalogue,
      version,
    });
    expect(await wish({ offeringSlug: catalogue.offering.slug })).toEqual(first);
    expect(await wish({ offeringVersionId: toGlobalId('OfferingVersion', versionId) })).toMatchObject({
      instance: null,
      errors: [{ code: 'IDEMPOTENCY_CONFLICT', field: 'idempotencyKey' }],
    });
    for (const idempotencyKey of ['', 'x'.repeat(201), 'a\nb', 'ключ'])
      expect(await wish({ offeringSlug: catalogue.offering.slug, idempotencyKey })).toMatchObject({
        errors: [{ code: 'INVALID_INPUT', field: 'idempotencyKey' }],
      });
  });

  it('goes from requested to terminated, each step in its timeline', async () => {
    const id = await app.activate(mine.person, mine.project);
    await app.settle(id);
    await command('instancePause', { instanceId: id });
    await app.settle(id);
    expect(await read(id)).toMatchObject({ state: 'PAUSED', observedGeneration: 2 });
    await command('instanceResume', { instanceId: id });
    await app.settle(id);
    expect(await command('instanceResume', { instanceId: id })).toMatchObject({
      instance: { state: 'ACTIVE', desiredGeneration: 3 },
    });
    await command('instanceTerminate', { instanceId: id });
    await app.settle(id);
    const { state, timeline } = await read(id);
    expect(state).toBe('TERMINATED');
    const steps = (asked: string, settled: string) => [asked, 'committed', 'applied', 'ready', settled];
    expect(timeline.map(({ kind }) => kind)).toEqual(
      [
        steps('requested', 'active'),
        steps('pause-requested', 'paused'),
        steps('resume-requested', 'active'),
        steps('terminate-requested', 'terminated'),
      ].flat(),
    );
    expect((await command('instancePause', { instanceId: id })).errors).toMatchObject([
      { code: 'INVALID_TRANSITION' },
    ]);
  });

  it('that cannot be provisioned stays PROVISIONING with the reason, and recovers', async () => {
    const id = await app.activate(mine.person, mine.project);
    expect(await app.observe(id, 1, 'False')).toEqual({ state: 'PROVISIONING' });
    const { timeline } = await read(id);
    expect(timeline.at(-1)).toMatchObject({ kind: 'failed' });
    expect(await app.observe(id, 1)).toEqual({ state: 'ACTIVE' });
  });

  it('is configured by its schema, on the generation it was read at', async () => {
    const id = await app.activate(mine.person, mine.project);
    const configure = (config: unknown, expectedGeneration: number | null = null, home?: Home) =>
      command('instanceConfigure', { instanceId: id, config, expectedGeneration }, home);
    expect(await configure({ tone: 'formal' }, 1)).toMatchObject({
      instance: { desiredGeneration: 2, effectiveConfig: { tone: 'formal', model: { name: 'small' } } },
    });
    expect(await configure({ tone: 'friendly' }, 1)).toEqual({
      instance: null,
      errors: [{ code: 'GENERATION_CONFLICT', field: 'expectedGeneration' }],
    });
    expect(await configure({ tone: 'formal' })).toMatchObject({ instance: { desiredGeneration: 2 } });
    for (const bad of [{ tone: 'rude' }, { constructor: 1 }, { other: 1 }, [], 'text'])
      expect({ bad, ...(await configure(bad)) }).toMatchObject({ bad, errors: [{ code: 'INVALID_CONFIG' }] });
    const racing = await Promise.all(
      ['friendly', 'friendly', 'friendly'].map((tone) => configure({ tone }, 2)),
    );
    expect(racing.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
  });
});

describe("another organization's instance", () => {
  it('does not exist: not to read, not to change, not to follow, not as an entity', async () => {
    const id = await app.activate(theirs.person, theirs.project);
    for (const unseen of [id, nowhere('Instance'), 'nonsense']) {
      expect(await read(unseen)).toBeNull();
      for (const name of ['instancePause', 'instanceResume', 'instanceTerminate'])
        expect((await command(name, { instanceId: unseen })).errors).toMatchObject([
          { code: 'INSTANCE_NOT_FOUND' },
        ]);
      expect((await command('instanceConfigure', { instanceId: unseen, config: {} })).errors).toMatchObject([
        { code: 'INSTANCE_NOT_FOUND' },
      ]);
      const stream = app.follow(mine.person, {
        query: 'subscription ($id: ID!) { instanceChanged(instanceId: $id) { id } }',
        variables: { id: unseen },
        signal: AbortSignal.timeout(10_000),
      });
      await expect(stream.next()).rejects.toThrow(/NOT_FOUND/);
    }
    const { _entities } = await app.data<{ _entities: unknown[] }>(
      mine.person,
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Instance { state } ... on Organization { name } ... on Project { name } } }',
      {
        r: [
          { __typename: 'Instance', id },
          { __typename: 'Organization', id: theirs.organization },
          { __typename: 'Project', id: theirs.project },
        ],
      },
    );
    expect(_entities).toEqual([null, null, null]);
    expect((await read(id, theirs)).state).toBe('REQUESTED');
    expect(
      await command('instanceAutoActivate', {
        projectId: theirs.project,
        offeringSlug: catalogue.offering.slug,
        idempotencyKey: uuidv7(),
      }),
    ).toMatchObject({ errors: [{ code: 'PROJECT_NOT_FOUND' }] });
  });

  it('is hidden from a visitor of the widget, although they talk to the instance', async () => {
    const id = await app.activate(mine.person, mine.project);
    const { organizationId } = mine;
    const visitor = widgetCaller({ organizationId, instanceId: uuidOf('Instance', id) });
    const text =
      'query ($id: ID!, $r: [_Any!]!) { instance(id: $id) { id } _entities(representations: $r) { ... on Instance { state effectiveConfig } ... on Project { name } } }';
    const r = [
      { __typename: 'Instance', id },
      { __typename: 'Project', id: mine.project },
    ];
    expect(await app.data(visitor, text, { id, r })).toEqual({ instance: null, _entities: [null, null] });
    await expect(
      app.data(
        visitor,
        'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Organization { name } } }',
        {
          r: [{ __typename: 'Organization', id: mine.organization }],
        },
      ),
    ).rejects.toThrow(/FORBIDDEN/);
  });

  it('is hidden by the database too, when a query forgets to ask whose it is', async () => {
    await app.activate(mine.person, mine.project);
    await app.activate(theirs.person, theirs.project);
    const scope = organizationScope(mine.person, mine.organizationId, 'instance:read')!;
    // A publisher names the organization it belongs to, and is public.
    const tables = await app.rows<{ name: string; walled: boolean }>(
      `select c.relname as name, c.relrowsecurity as walled from pg_class c join pg_attribute a on a.attrelid = c.oid
       where c.relnamespace = 'control_plane'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'organization_id' and c.relname <> 'publisher' order by 1`,
    );
    expect(tables.filter(({ walled }) => !walled)).toEqual([]);
    expect(tables.length).toBeGreaterThan(7);
    const own = await app.database.transaction(scope, (tx) =>
      tx.sql('-- test\n select distinct organization_id from instance'),
    );
    expect(own).toEqual([{ organization_id: mine.organizationId }]);
    for (const { name } of tables) {
      const seen = await app.database.transaction(scope, (tx) =>
        tx.sql<{ organization_id: string }>(`-- test\n select distinct organization_id from ${name}`),
      );
      const strange = seen.filter((row) => row.organization_id !== mine.organizationId);
      // Without a scope at all there is nothing to see.
      const unscoped = await app.database.statement(`test-${name}`, `select from ${name} limit 1`);
      expect({ name, strange, unscoped }).toEqual({ name, strange: [], unscoped: [] });
    }
    await expect(
      app.database.transaction(scope, (tx) =>
        tx.sql('-- test\n insert into project (id, organization_id, slug, name) values ($1, $2, $3, $3)', [
          uuidv7(),
          theirs.organizationId,
          'smuggled',
        ]),
      ),
    ).rejects.toThrow(/row-level security/);
  });
});

describe('who may what', () => {
  it('a member without the permission is FORBIDDEN, and nothing changes', async () => {
    const id = await app.activate(mine.person, mine.project);
    const viewer = await app.signIn();
    await app.rows("insert into membership (organization_id, user_id, role) values ($1, $2, 'VIEWER')", [
      mine.organizationId,
      viewer.userId,
    ]);
    const looking = await app.signIn({ subject: viewer.subject, email: viewer.email });
    const pause =
      'mutation ($input: InstancePauseInput!) { instancePause(input: $input) { errors { code } } }';
    for (const caller of [looking, apiKeyCaller(mine.organizationId, 'instance:read')])
      expect((await app.graph(caller, pause, { input: { instanceId: id } })).errors).toMatchObject([
        { extensions: { code: 'FORBIDDEN' } },
      ]);
    expect((await app.graph(anonymous, pause, { input: { instanceId: id } })).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    expect((await read(id)).timeline.map(({ kind }) => kind)).toEqual(['requested']);
  });
});

describe('instanceChanged', () => {
  it('tells the instance now, then each change in order, and ends when it is terminated', async () => {
    const id = await app.activate(mine.person, mine.project);
    type Seen = {
      instanceChanged: { state: string; observedGeneration: number; timeline: { kind: string }[] };
    };
    const stream = app.follow<Seen>(mine.person, {
      query:
        'subscription ($id: ID!) { instanceChanged(instanceId: $id) { state observedGeneration timeline { kind } } }',
      variables: { id },
      signal: AbortSignal.timeout(20_000),
    });
    const last = async () => {
      const { value } = await stream.next();
      const { timeline, ...rest } = (value as Seen).instanceChanged;
      return { ...rest, last: timeline.at(-1)?.kind };
    };
    expect(await last()).toEqual({ state: 'REQUESTED', observedGeneration: 0, last: 'requested' });
    const [item] = (
      await app.service.call<{ items: { instanceId: string }[] }>('POST', '/internal/gitops:claim', {
        writerId: 'test',
        limit: 500,
        waitMs: 0,
      })
    ).items.filter(({ instanceId }) => instanceId === uuidOf('Instance', id));
    const committed = (more: object) =>
      app.service.call('POST', '/internal/gitops:committed', { items: [{ ...item, commit, ...more }] });
    await committed({});
    expect(await last()).toEqual({ state: 'PROVISIONING', observedGeneration: 0, last: 'committed' });
    await app.observe(id, 1);
    expect(await last()).toEqual({ state: 'ACTIVE', observedGeneration: 1, last: 'active' });
    await command('instancePause', { instanceId: id });
    expect(await last()).toMatchObject({ state: 'ACTIVE', last: 'pause-requested' });
    // A commit changes nothing but the timeline, and is told too.
    await committed({ generation: 2 });
    expect(await last()).toMatchObject({ state: 'ACTIVE', last: 'committed' });
    await app.observe(id, 2);
    expect(await last()).toMatchObject({ state: 'PAUSED', last: 'paused' });
    await command('instanceTerminate', { instanceId: id });
    expect(await last()).toMatchObject({ state: 'PAUSED', last: 'terminate-requested' });
    await app.observe(id, 3);
    expect(await last()).toMatchObject({ state: 'TERMINATED' });
    expect(await stream.next()).toMatchObject({ done: true });
  });
});

describe('for the services', () => {
  const request = (more: object = {}) => ({
    organizationId: mine.organizationId,
    offeringId,
    planId: '',
    idempotencyKey: uuidv7(),
    ...more,
  });
  const planId = async (code: string) =>
    (await app.rows<{ id: string }>('select id from plan where code = $1', [code]))[0]!.id;

  it('POST /instances is idempotent by key, and refuses the key for something else', async () => {
    const body = request({ planId: await planId('pro') });
    const first = await app.service.call<{ id: string }>('POST', '/instances', body);
    expect(await app.service.call('POST', '/instances', body)).toEqual(first);
    await expect(
      app.service.call('POST', '/instances', { ...body, planId: await planId('trial') }),
    ).rejects.toMatchObject({ status: 409, code: 'IDEMPOTENCY_CONFLICT' });
    await expect(app.service.call('POST', '/instances', request({ planId: uuidv7() }))).rejects.toMatchObject(
      {
        code: 'PLAN_NOT_FOUND',
      },
    );
  });

  it('the entitlements say everything a run needs', async () => {
    const { id } = await app.service.call<{ id: string }>(
      'POST',
      '/instances',
      request({ planId: await planId('pro') }),
    );
    expect(await app.service.call('GET', `/instances/${id}/entitlements`)).toMatchObject({
      instanceId: id,
      organizationId: mine.organizationId,
      offeringId,
      state: 'REQUESTED',
      paused: false,
      desiredGeneration: 1,
      observedGeneration: 0,
      plan: { code: 'pro' },
      entitlements: [{ capability: 'chat', limits: {} }],
      effectiveConfig: { tone: 'friendly', model: { name: 'large' } },
      artifact: { bucket: 'artifacts', sha256: catalogue.version.sha256, sizeBytes: 4 },
      limits: { maxRunSeconds: 300, maxConcurrentRuns: 5 },
    });
    for (const unknown of [uuidv7(), 'nonsense'])
      await expect(app.service.call('GET', `/instances/${unknown}/entitlements`)).rejects.toMatchObject({
        status: 404,
        code: 'INSTANCE_NOT_FOUND',
      });
  });

  it('the writer is woken by a new desired state, and gets only the newest of an instance', async () => {
    const claim = (waitMs: number) =>
      app.service.call<{ items: { instanceId: string; generation: number; phase: string }[] }>(
        'POST',
        '/internal/gitops:claim',
        { writerId: 'test', limit: 500, waitMs },
      );
    await claim(0);
    // A poll that nothing wakes asks the database again after two seconds, its safety net; this one does not wait for so long.
    const waiting = claim(1_900);
    const id = await app.activate(mine.person, mine.project);
    expect((await waiting).items).toMatchObject([{ instanceId: uuidOf('Instance', id), generation: 1 }]);
    const other = await app.activate(mine.person, mine.project);
    await command('instancePause', { instanceId: other });
    expect(
      (await claim(0)).items.filter(({ instanceId }) => instanceId === uuidOf('Instance', other)),
    ).toMatchObject([{ generation: 2, phase: 'Paused' }]);
  });

  it('a writer gets at once what a former one had claimed, and its own claim again only by time', async () => {
    const id = uuidOf('Instance', await app.activate(mine.person, mine.project));
    const isFor = async (writerId: string): Promise<boolean> =>
      (
        await app.service.call<{ items: { instanceId: string }[] }>('POST', '/internal/gitops:claim', {
          writerId,
          limit: 500,
          waitMs: 0,
        })
      ).items.some(({ instanceId }) => instanceId === id);
    expect([
      await isFor('first'),
      await isFor('first'),
      await isFor('second'),
      await isFor('second'),
    ]).toEqual([true, false, true, false]);
  });

  it('a run is refused as soon as its instance is to go away, or its version is at its end', async () => {
    const id = await app.activate(mine.person, mine.project);
    await app.settle(id);
    const facts = () =>
      app.service.call('GET', `/instances/${uuidOf('Instance', id)}/entitlements`) as Promise<object>;
    expect(await facts()).toMatchObject({ state: 'ACTIVE' });
    const endOfLife = (state: string) =>
      app.rows(
        `alter table offering_version disable trigger user; update offering_version set state = '${state}'; alter table offering_version enable trigger user`,
      );
    await endOfLife('END_OF_LIFE');
    expect(await facts()).toMatchObject({ state: 'END_OF_LIFE' });
    await endOfLife('PUBLISHED');
    await command('instanceTerminate', { instanceId: id });
    expect((await read(id)).state).toBe('ACTIVE');
    expect(await facts()).toMatchObject({ state: 'TERMINATED' });
  });

  it('a generation may take longer to be observed than an int counts milliseconds', async () => {
    const id = await app.activate(mine.person, mine.project);
    await app.rows("update instance_event set at = now() - interval '40 days' where instance_id = $1", [
      uuidOf('Instance', id),
    ]);
    expect(await app.observe(id, 1)).toEqual({ state: 'ACTIVE' });
  });
});

describe('the way into Git', () => {
  const conditions = async (id: string) =>
    (
      await app.data<{ instance: { conditions: { resource: string; type: string; status: string }[] } }>(
        mine.person,
        'query ($id: ID!) { instance(id: $id) { conditions { resource type status reason } } }',
        { id },
      )
    ).instance.conditions;
  const item = (id: string, generation = 1) => ({ instanceId: uuidOf('Instance', id), generation });
  const inLine = (id: string) =>
    app.rows('select from gitops_outbox where instance_id = $1', [uuidOf('Instance', id)]);

  it('says of an instance that the branch is locked, until its commit is made', async () => {
    const id = await app.activate(mine.person, mine.project);
    const delayed = { items: [item(id)], reason: 'REPOSITORY_LOCKED', message: 'locked' };
    await app.service.call('POST', '/internal/gitops:delayed', delayed);
    const locked = { resource: 'Git', type: 'Committed', status: 'False', reason: 'REPOSITORY_LOCKED' };
    expect(await conditions(id)).toEqual([locked]);
    expect((await read(id)).state).toBe('REQUESTED');
    await app.settle(id);
    const after = await conditions(id);
    expect(after).toHaveLength(4);
    expect(after[0]).toEqual({ resource: 'Git', type: 'Committed', status: 'True', reason: 'Committed' });
    await expect(
      app.clientWith('gitops:observe').call('POST', '/internal/gitops:delayed', delayed),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is gone again when the branch holds something else, for what it should hold by now', async () => {
    const ready = async () => {
      const id = await app.activate(mine.person, mine.project);
      await app.settle(id);
      return id;
    };
    const [settledId, gone] = [await ready(), await ready()];
    await command('instanceTerminate', { instanceId: gone });
    await app.settle(gone);
    const waiting = await app.activate(mine.person, mine.project);
    const all: string[] = [];
    for (let after: string | undefined; ;) {
      const { items } = await app.service.call<{ items: { instanceId: string; generation: number }[] }>(
        'POST',
        '/internal/gitops:settled',
        { after, limit: 2 },
      );
      if (!items.length) break;
      all.push(...items.map(({ instanceId }) => instanceId));
      after = all.at(-1);
    }
    expect(all).toContain(uuidOf('Instance', settledId));
    expect(all).not.toContain(uuidOf('Instance', waiting));
    expect(all).not.toContain(uuidOf('Instance', gone));
    expect(all).toEqual([...new Set(all)].sort());
    // Of an older generation, of one that is gone, twice: only what is so is put in line, once.
    const items = [item(settledId), item(settledId), item(settledId, 7), item(gone, 2)];
    await app.service.call('POST', '/internal/gitops:drifted', { items });
    expect(await inLine(settledId)).toHaveLength(1);
    expect(await inLine(gone)).toHaveLength(0);
    expect((await read(settledId)).timeline.at(-1)?.kind).toBe('drifted');
  });

  it('is gone again when the plan gives something else, and not when it is put as it is', async () => {
    const id = await app.activate(mine.person, mine.project);
    await app.settle(id);
    const put = (maxRunSeconds: number) =>
      app.service.call('PUT', '/internal/catalogue', {
        ...catalogue,
        plans: catalogue.plans.map((plan) => (plan.code === 'trial' ? { ...plan, maxRunSeconds } : plan)),
      });
    const generation = async () =>
      (
        await app.rows<{ desired_generation: number }>(
          'select desired_generation from instance where id = $1',
          [uuidOf('Instance', id)],
        )
      )[0]!.desired_generation;
    await put(60);
    expect(await generation()).toBe(1);
    await put(61);
    expect(await generation()).toBe(2);
    expect(await inLine(id)).toHaveLength(1);
    expect((await read(id)).timeline.at(-1)?.kind).toBe('plan-changed');
    await put(60);
  });
});

describe('what is sold', () => {
  it.each<[string, object]>([
    ['runs at once', { plans: [{ ...catalogue.plans[0]!, maxConcurrentRuns: 1_001 }] }],
    ['a run without end', { plans: [{ ...catalogue.plans[0]!, maxRunSeconds: 86_401 }] }],
    ['no time to run', { plans: [{ ...catalogue.plans[0]!, maxRunSeconds: 0 }] }],
    ['a code too long', { plans: [{ ...catalogue.plans[0]!, code: 'x'.repeat(65) }] }],
    ['a slug that is no label', { offering: { ...catalogue.offering, slug: 'Support Agent' } }],
    ['an artifact too large', { version: { ...catalogue.version, sizeBytes: 2_097_153 } }],
    [
      'a product that is none of a shop',
      { offering: { ...catalogue.offering, saleorProductId: 'UHJvZHVjdA==' } },
    ],
    ['a variant that is a product', { plans: [{ ...catalogue.plans[0]!, saleorVariantId: 'UHJvZHVjdDox' }] }],
    ['a hash that is none', { version: { ...catalogue.version, sha256: 'abc' } }],
    ['a schema that is none', { version: { ...catalogue.version, configSchema: { type: 'colour' } } }],
  ])('is what can be applied: %s', async (_name, more) => {
    await expect(
      app.service.call('PUT', '/internal/catalogue', { ...catalogue, ...more }),
    ).rejects.toMatchObject({ status: 400 });
  });
});
