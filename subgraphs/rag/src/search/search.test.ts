import { beforeAll, describe, expect, it, vi } from 'vitest';
import { toGlobalId, uuidv7 } from '@agentstore/kernel/ids';
import { startRagApp, uuidOf, type Project, type RagApp } from '../testing/rag-app.ts';

let app: RagApp;
let home: Project;
let base: string;
let duty: string;
const add = async (project: Project, into: string, text: string, name: string) => {
  const id = await app.upload(project.developer, into, text, name);
  await app.ingest(project.developer, id);
  await vi.waitFor(
    async () => expect(await app.document(project.developer, id)).toMatchObject({ state: 'READY' }),
    { timeout: 60_000, interval: 10 },
  );
  return id;
};
beforeAll(async () => {
  app = await startRagApp();
  home = app.project();
  base = await app.base(home);
  duty = await add(home, base, 'The buyer pays the customs duty.', 'duty.md');
  await add(home, base, 'Customs opens at nine.', 'hours.md');
});

const searches = () => app.calls.filter((call) => call.startsWith('search')).length;

interface Citation {
  documentId: string;
  documentName: string;
  text: string;
  page: number | null;
}
interface Result {
  citations: Citation[];
  errors: { code: string; field: string }[];
}
const search = async (input: object, caller = app.member(home.organizationId, 'VIEWER')): Promise<Result> =>
  (
    await app.data<{ knowledgeBaseSearch: Result }>(
      caller,
      `query ($input: KnowledgeBaseSearchInput!) { knowledgeBaseSearch(input: $input) { citations { documentId documentName chunkId text score page } errors { code field } } }`,
      { input: { knowledgeBaseId: base, query: 'customs', ...input } },
    )
  ).knowledgeBaseSearch;

describe('knowledgeBaseSearch', () => {
  it('cites documents by the ids of the graph', async () => {
    const { citations } = await search({});
    expect(citations).toMatchObject([
      { documentId: duty, documentName: 'duty.md', text: 'The buyer pays the customs duty.', page: null },
      { documentName: 'hours.md' },
    ]);
    expect((await search({ limit: 1 })).citations).toHaveLength(1);
    expect((await search({ documentIds: [duty] })).citations).toMatchObject([{ documentId: duty }]);
    expect((await search({ documentIds: ['nonsense'] })).citations).toEqual([]);
  });

  it.each([
    ['query', { query: ' ' }],
    ['query', { query: 'x'.repeat(1_001) }],
    ['limit', { limit: 51 }],
    ['limit', { limit: 0 }],
  ])('refuses an unusable %s', async (field, input) => {
    expect(await search(input)).toEqual({ citations: [], errors: [{ code: 'INVALID_INPUT', field }] });
  });

  it('asks no engine for a stranger', async () => {
    const before = searches();
    expect(await search({}, app.project().developer)).toEqual({
      citations: [],
      errors: [{ code: 'KNOWLEDGE_BASE_NOT_FOUND', field: 'knowledgeBaseId' }],
    });
    expect(searches()).toBe(before);
  });

  it('cites nothing of a document from the moment it is deleted', async () => {
    const project = app.project();
    const own = await app.base(project);
    const id = await add(project, own, 'customs and more customs', 'gone.md');
    app.state.failing = new Error('the engine cannot remove it now');
    await app.delete(project.developer, id);
    expect(app.documents.has(uuidOf(id))).toBe(true);
    expect((await search({ knowledgeBaseId: own }, project.developer)).citations).toEqual([]);
    app.state.failing = undefined;
  });
});

describe('POST /internal/knowledge:search', () => {
  const ask = (body: object, client = app.searcher) =>
    client.call<{ citations: Citation[] }>('POST', '/internal/knowledge:search', {
      organizationId: home.organizationId,
      projectId: home.projectId,
      knowledgeBaseIds: [uuidOf(base)],
      query: 'customs',
      ...body,
    });

  it('cites of several bases, the best of each first', async () => {
    const second = await app.base(home);
    await add(home, second, 'customs in another base', 'second.md');
    const { citations } = await ask({ knowledgeBaseIds: [uuidOf(base), uuidOf(second)] });
    expect(citations.map(({ documentName }) => documentName).sort()).toEqual([
      'duty.md',
      'hours.md',
      'second.md',
    ]);
    expect(citations[2]).toMatchObject({ documentName: 'hours.md' });
    expect(citations[0]!.documentId).toBe(toGlobalId('Document', uuidOf(citations[0]!.documentId)));
  });

  it('asks all bases of the project when none is named, and none of another', async () => {
    const project = app.project();
    const [one, two] = [await app.base(project), await app.base(project)];
    await add(project, one, 'customs in one', 'one.md');
    await add(project, two, 'customs in two', 'two.md');
    const { organizationId, projectId } = project;
    const named = await ask({ organizationId, projectId, knowledgeBaseIds: undefined });
    expect(named.citations.map(({ documentName }) => documentName).sort()).toEqual(['one.md', 'two.md']);
    const foreign = { organizationId: home.organizationId, projectId, knowledgeBaseIds: undefined };
    expect(await ask(foreign)).toEqual({ citations: [] });
    const empty = app.project();
    expect(
      await ask({
        organizationId: empty.organizationId,
        projectId: empty.projectId,
        knowledgeBaseIds: undefined,
      }),
    ).toEqual({ citations: [] });
  });

  it("asks the engine for none but the project's own bases", async () => {
    const theirs = app.project();
    const foreign = await app.base(theirs);
    await add(theirs, foreign, 'customs of a stranger', 'foreign.md');
    const sibling = app.project({}, home.organizationId);
    const near = await app.base(sibling);
    const before = searches();
    const ids = [foreign, near].map(uuidOf);
    expect(await ask({ knowledgeBaseIds: [...ids, uuidv7()] })).toEqual({ citations: [] });
    expect(await ask({ organizationId: theirs.organizationId })).toEqual({ citations: [] });
    expect(searches()).toBe(before);
    expect((await ask({ knowledgeBaseIds: [uuidOf(base), ...ids] })).citations).toHaveLength(2);
  });

  it('is for services that may search, within bounds', async () => {
    await expect(ask({ query: '' })).rejects.toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    await expect(ask({ limit: 51 })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(ask({ knowledgeBaseIds: [] })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    const answer = await app.app.fetch(
      new Request('http://rag/internal/knowledge:search', { method: 'POST', body: '{}' }),
    );
    expect(answer.status).toBe(401);
  });
});
