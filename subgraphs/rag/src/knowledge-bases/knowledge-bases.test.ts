import { beforeAll, describe, expect, it } from 'vitest';
import { apiKeyCaller, widgetCaller } from '@agentstore/kernel/testing/callers';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { startRagApp, uuidOf, type BasePayload, type Project, type RagApp } from '../testing/rag-app.ts';

let app: RagApp;
let home: Project;
beforeAll(async () => {
  app = await startRagApp();
  home = app.project();
});

describe('knowledgeBaseCreate', () => {
  it('makes a base once per key, in the engine too', async () => {
    const idempotencyKey = uuidv7();
    const first = await app.create(home, { idempotencyKey, language: 'GERMAN' });
    expect(first).toMatchObject({
      knowledgeBase: { name: 'Manuals', state: 'PROVISIONING' },
      errors: [],
      quota: null,
    });
    await app.becomes(first.knowledgeBase!.id, 'READY');
    expect(app.bases.get(uuidOf(first.knowledgeBase!.id))).toMatchObject({
      organizationId: home.organizationId,
      projectId: home.projectId,
      language: 'german',
    });
    expect(await app.create(home, { idempotencyKey, language: 'GERMAN' })).toMatchObject({
      knowledgeBase: { id: first.knowledgeBase!.id, state: 'READY' },
    });
    expect((await app.create(home, { idempotencyKey, name: 'Other' })).errors).toMatchObject([
      { code: 'IDEMPOTENCY_CONFLICT', field: 'idempotencyKey' },
    ]);
  });

  it.each([
    ['name', { name: '  ' }],
    ['name', { name: 'x'.repeat(129) }],
    ['idempotencyKey', { idempotencyKey: 'ü' }],
  ])('refuses an unusable %s', async (field, input) => {
    expect((await app.create(home, input)).errors).toMatchObject([{ code: 'INVALID_INPUT', field }]);
  });

  it('makes as many as the plans give, also when they are asked for at once', async () => {
    const project = app.project({ knowledgeBases: 2 });
    const made = await Promise.all(Array.from({ length: 6 }, () => app.create(project)));
    expect(made.filter(({ knowledgeBase }) => knowledgeBase)).toHaveLength(2);
    const refusal = made.find(({ errors }) => errors.length)!;
    expect(refusal.errors).toMatchObject([{ code: 'QUOTA_EXCEEDED' }]);
    expect(refusal.quota).toEqual({ what: 'KNOWLEDGE_BASES', limit: '2', used: '2' });
    const none = await app.create(app.project({ knowledgeBases: 0 }));
    expect(none.errors).toMatchObject([{ code: 'NOT_ENTITLED' }]);
    expect(none.quota).toEqual({ what: 'KNOWLEDGE_BASES', limit: '0', used: '0' });
  });

  it('is for those who may manage knowledge there; strangers learn nothing', async () => {
    const refusedAs = async (
      caller: Parameters<RagApp['graph']>[0],
      projectId = toGlobalId('Project', home.projectId),
    ) => {
      const answer = await app.graph(
        caller,
        `mutation ($input: KnowledgeBaseCreateInput!) { knowledgeBaseCreate(input: $input) { errors { code } } }`,
        { input: { projectId, name: 'x', idempotencyKey: 'k' } },
      );
      const payload = answer.data?.['knowledgeBaseCreate'] as BasePayload | undefined;
      return answer.errors?.[0]?.extensions?.code ?? payload?.errors[0]?.code;
    };
    expect(await refusedAs(app.member(home.organizationId))).toBe('FORBIDDEN');
    expect(await refusedAs(apiKeyCaller(home.organizationId, 'knowledge:read'))).toBe('FORBIDDEN');
    expect(await refusedAs(app.project().developer)).toBe('PROJECT_NOT_FOUND');
    expect(await refusedAs(home.developer, toGlobalId('Project', uuidv7()))).toBe('PROJECT_NOT_FOUND');
    expect(await refusedAs({ kind: 'ANONYMOUS' })).toBe('UNAUTHENTICATED');
  });

  it('is finished when the engine that was away is there again', async () => {
    app.state.failing = new Error('the engine is away');
    const made = await app.create(home);
    await expect
      .poll(() =>
        app.rows('select tries > 0 as tried from knowledge_base where id = $1', [
          uuidOf(made.knowledgeBase!.id),
        ]),
      )
      .toEqual([{ tried: true }]);
    app.state.failing = undefined;
    expect(made.knowledgeBase).toMatchObject({ state: 'PROVISIONING' });
    const { id } = made.knowledgeBase!;
    expect((await app.init(home.developer, id, 'text')).errors).toMatchObject([
      { code: 'KNOWLEDGE_BASE_NOT_READY' },
    ]);
    await expect
      .poll(() => app.rows('select state from knowledge_base where id = $1', [uuidOf(id)]))
      .toEqual([{ state: 'READY' }]);
  });

  it('fails a base that the engine never makes', async () => {
    app.state.failing = new Error('the engine does not want it');
    const { id } = (await app.create(home)).knowledgeBase!;
    await app.rows('update knowledge_base set tries = 2, due_at = now() where id = $1', [uuidOf(id)]);
    await expect
      .poll(() => app.rows('select state from knowledge_base where id = $1', [uuidOf(id)]))
      .toEqual([{ state: 'FAILED' }]);
    app.state.failing = undefined;
  });
});

describe('what is desired of a base', () => {
  const row = (id: string) =>
    app.rows(
      'select state, desired_generation as desired, observed_generation as observed, max_documents as documents from knowledge_base where id = $1',
      [uuidOf(id)],
    );

  it('is not taken for true before it is observed', async () => {
    app.gitops.blind = true;
    const { id } = (await app.create(home)).knowledgeBase!;
    await expect.poll(() => app.gitops.folders.has(uuidOf(id))).toBe(true);
    expect(app.bases.has(uuidOf(id))).toBe(false);
    expect(await row(id)).toEqual([{ state: 'PROVISIONING', desired: 1, observed: 0, documents: 50 }]);
    app.gitops.blind = false;
    await app.becomes(id, 'READY');
    expect(app.bases.has(uuidOf(id))).toBe(true);
  });

  it('is another generation when the limits of its project are other ones', async () => {
    const project = app.project();
    const id = await app.base(project);
    await app.init(project.developer, id, 'some text');
    expect(await row(id)).toMatchObject([{ desired: 1 }]);
    app.limits.set(project.projectId, { ...app.limits.get(project.projectId)!, documents: 7 });
    await app.init(project.developer, id, 'more text');
    await expect.poll(() => row(id)).toEqual([{ state: 'READY', desired: 2, observed: 2, documents: 7 }]);
  });

  it('needs both resources of a base that Ragflow keeps', async () => {
    app.state.spec = {
      kind: 'Ragflow',
      datasetName: 'x',
      chunkMethod: 'naive',
      parser: { autoKeywords: 0, autoQuestions: 0, raptor: false, graphrag: false },
    };
    app.gitops.blind = true;
    const { id } = (await app.create(home)).knowledgeBase!;
    app.state.spec = { kind: 'Embedded' };
    const rag = app.service('gitops:observe');
    const conditions = ['Ready'].map((type) => ({
      type,
      status: 'True',
      reason: 'x',
      message: 'x',
      observedGeneration: 1,
      lastTransitionTime: 'now',
    }));
    const tell = (kinds: string[]) =>
      rag.call<object>('POST', `/internal/knowledge-bases/${uuidOf(id)}/conditions`, {
        observedGeneration: 1,
        commit: 'c',
        resources: kinds.map((kind) => ({ kind, name: id, conditions })),
      });
    expect(await tell(['KnowledgeBase'])).toEqual({ state: 'PROVISIONING' });
    expect(await tell(['KnowledgeBase', 'RagflowKB'])).toEqual({ state: 'READY' });
    app.gitops.blind = false;
  });

  it('is told to gitops alone', async () => {
    for (const path of ['gitops:claim', `knowledge-bases/${uuidv7()}/engine`])
      await expect(
        app.searcher.call('POST', `/internal/${path}`, { writerId: 'x', limit: 1, waitMs: 0 }),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('reading', () => {
  const query = `query ($r: [_Any!]!, $id: ID!) { knowledgeBase(id: $id) { id name language project { id } chunkCount sizeBytes documents(first: 1) { edges { node { name } } pageInfo { hasNextPage } } }
    _entities(representations: $r) { ... on KnowledgeBase { id } ... on Project { knowledgeBases(first: 2) { edges { node { id } } pageInfo { hasNextPage } } } } }`;

  it('is for every member, and shows a stranger and a visitor of the widget nothing', async () => {
    const project = app.project();
    const ids = [await app.base(project), await app.base(project), await app.base(project)];
    await app.init(project.developer, ids[0]!, 'some text');
    await app.init(project.developer, ids[0]!, 'more text', { name: 'more.md' });
    const r = [
      { __typename: 'KnowledgeBase', id: ids[1] },
      { __typename: 'Project', id: toGlobalId('Project', project.projectId) },
    ];
    const seen = await app.data(app.member(project.organizationId, 'VIEWER'), query, { r, id: ids[0] });
    expect(seen).toMatchObject({
      knowledgeBase: {
        name: 'Manuals',
        language: null,
        project: { id: toGlobalId('Project', project.projectId) },
        chunkCount: 0,
        sizeBytes: '18',
        documents: { edges: [{ node: { name: 'shipping.md' } }], pageInfo: { hasNextPage: true } },
      },
      _entities: [
        { id: ids[1] },
        {
          knowledgeBases: {
            edges: [{ node: { id: ids[0] } }, { node: { id: ids[1] } }],
            pageInfo: { hasNextPage: true },
          },
        },
      ],
    });
    const { organizationId } = project;
    for (const stranger of [app.project().developer, widgetCaller({ organizationId, instanceId: uuidv7() })])
      expect(await app.data(stranger, query, { r, id: ids[0] })).toEqual({
        knowledgeBase: null,
        _entities: [null, { knowledgeBases: { edges: [], pageInfo: { hasNextPage: false } } }],
      });
  });
});

describe('knowledgeBaseDelete', () => {
  it('keeps what the base owns until its folder was seen to be gone from Git', async () => {
    const project = app.project();
    const id = await app.base(project);
    await app.upload(project.developer, id, 'customs duty');
    app.gitops.blind = true;
    await app.command<BasePayload>(project.developer, 'knowledgeBaseDelete', { knowledgeBaseId: id });
    const rag = app.service('gitops:write', 'gitops:observe');
    const gone = () =>
      rag.call('POST', `/internal/knowledge-bases/${uuidOf(id)}/conditions`, {
        observedGeneration: 2,
        commit: 'c',
        resources: [],
      });
    // A folder that somebody took away by hand is no deletion that was applied.
    expect(await gone()).toEqual({ state: 'DELETING' });
    expect(app.bases.has(uuidOf(id))).toBe(true);
    expect(app.storedKeys().filter((key) => key.includes(uuidOf(id)))).toHaveLength(1);
    app.gitops.blind = false;
    await app.rows(
      `update document set upload_until = now() - interval '1 hour' where knowledge_base_id = $1`,
      [uuidOf(id)],
    );
    await expect
      .poll(() => app.rows('select id from knowledge_base where id = $1', [uuidOf(id)]))
      .toEqual([]);
    expect(app.gitops.folders.has(uuidOf(id))).toBe(false);
    expect(app.storedKeys().filter((key) => key.includes(uuidOf(id)))).toEqual([]);
  });

  it('removes it with its documents on both sides, and then itself', async () => {
    const project = app.project();
    const id = await app.base(project);
    const document = await app.upload(project.developer, id, 'customs duty');
    await app.ingest(project.developer, document);
    await expect.poll(() => app.document(project.developer, document)).toMatchObject({ state: 'READY' });
    await app.rows(`update document set upload_until = now() - interval '1 hour' where id = $1`, [
      uuidOf(document),
    ]);

    const forget = (caller = project.developer) =>
      app.command<BasePayload>(caller, 'knowledgeBaseDelete', { knowledgeBaseId: id });
    expect((await forget(app.project().developer)).errors).toMatchObject([
      { code: 'KNOWLEDGE_BASE_NOT_FOUND' },
    ]);
    expect(await forget()).toMatchObject({ knowledgeBase: { id, state: 'DELETING' }, errors: [] });
    expect(await app.document(project.developer, document)).toBeNull();
    await expect
      .poll(() => app.rows('select id from knowledge_base where id = $1', [uuidOf(id)]))
      .toEqual([]);
    expect(app.bases.has(uuidOf(id))).toBe(false);
    expect(app.documents.has(uuidOf(document))).toBe(false);
    expect(app.storedKeys().filter((key) => key.includes(uuidOf(id)))).toEqual([]);
    expect((await forget()).errors).toMatchObject([{ code: 'KNOWLEDGE_BASE_NOT_FOUND' }]);
  });
});
