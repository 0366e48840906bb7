import { beforeAll, describe, expect, it } from 'vitest';
import { apiKeyCaller } from '@agentstore/kernel/testing/callers';
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
      knowledgeBase: { name: 'Manuals', state: 'READY' },
      errors: [],
      quota: null,
    });
    expect(app.bases.get(uuidOf(first.knowledgeBase!.id))).toMatchObject({
      organizationId: home.organizationId,
      projectId: home.projectId,
      language: 'german',
    });
    expect(await app.create(home, { idempotencyKey, language: 'GERMAN' })).toEqual(first);
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

  it('is finished by the sweep when the engine was away', async () => {
    app.state.failing = new Error('the engine is away');
    const made = await app.create(home);
    app.state.failing = undefined;
    expect(made.knowledgeBase).toMatchObject({ state: 'PROVISIONING' });
    const { id } = made.knowledgeBase!;
    expect((await app.init(home.developer, id, 'text')).errors).toMatchObject([
      { code: 'KNOWLEDGE_BASE_NOT_READY' },
    ]);
    await expect
      .poll(() => app.rows('select state from knowledge_base where id = $1', [uuidOf(id)]), {
        timeout: 15_000,
      })
      .toEqual([{ state: 'READY' }]);
  });

  it('fails a base that the engine never makes', async () => {
    app.state.failing = new Error('the engine does not want it');
    const { id } = (await app.create(home)).knowledgeBase!;
    await app.rows('update knowledge_base set tries = 2, due_at = now() where id = $1', [uuidOf(id)]);
    await expect
      .poll(() => app.rows('select state from knowledge_base where id = $1', [uuidOf(id)]), {
        timeout: 15_000,
      })
      .toEqual([{ state: 'FAILED' }]);
    app.state.failing = undefined;
  });
});

describe('reading', () => {
  const query = `query ($r: [_Any!]!, $id: ID!) { knowledgeBase(id: $id) { id name language project { id } chunkCount sizeBytes documents(first: 1) { edges { node { name } } pageInfo { hasNextPage } } }
    _entities(representations: $r) { ... on KnowledgeBase { id } ... on Project { knowledgeBases(first: 2) { edges { node { id } } pageInfo { hasNextPage } } } } }`;

  it('is for every member, and shows a stranger nothing', async () => {
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
    expect(await app.data(app.project().developer, query, { r, id: ids[0] })).toEqual({
      knowledgeBase: null,
      _entities: [null, { knowledgeBases: { edges: [], pageInfo: { hasNextPage: false } } }],
    });
  });
});

describe('knowledgeBaseDelete', () => {
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
