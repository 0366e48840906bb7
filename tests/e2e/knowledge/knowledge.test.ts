import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knowledgeBases } from '../../../infra/dev/main-job/knowledge-operations.ts';
import { knowledgeJob } from '../../../infra/dev/main-job/knowledge-job.ts';
import { createProgress } from '../../../infra/dev/progress.ts';
import { openStore, type Person, type Store } from '../support/store.ts';
import {
  announce,
  citedAnswer,
  ingest,
  ingested,
  knowledgeAgent,
  knowledgeBaseOf,
  put,
  sha256Of,
  uploaded,
  type KnowledgeAgent,
  type TestFile,
} from './knowledge-agent.ts';

const corpus = path.join(import.meta.dirname, '../../bench/knowledge/corpus');
const manual: TestFile = {
  name: 'espresso-machine.pdf',
  contentType: 'application/pdf',
  bytes: fs.readFileSync(path.join(corpus, 'espresso-machine.pdf')),
};
const note = (text: string, name = 'note.md'): TestFile => ({
  name,
  contentType: 'text/markdown',
  bytes: Buffer.from(text),
});
const question = 'Which citric acid do I need for descaling, and what ruins the seals?';

let store: Store;
let owner: Person;
let agent: KnowledgeAgent;
beforeAll(async () => {
  store = await openStore({ delayPerTokenMs: 1 });
  owner = await store.signUp();
  agent = await knowledgeAgent(owner);
});
afterAll(() => store.close());

const remove = (id: string) =>
  owner.query(
    'mutation ($id: ID!) { documentDelete(input: { documentId: $id }) { document { id } errors { code } } }',
    { id },
  );

describe('a document', () => {
  it('is uploaded straight to storage, made searchable before your eyes, and cited by the page that says it', async () => {
    const documentId = await uploaded(owner, agent.knowledgeBaseId, manual);
    const told = await ingested(owner, agent.knowledgeBaseId, documentId);
    expect(told.at(-1)).toMatchObject({ state: 'READY', progress: 1, attempt: 1, failure: null });
    const figures = told.map(({ progress }) => progress);
    expect(figures).toEqual(figures.toSorted((a, b) => a - b));

    const { kinds, text, citations, messageIds } = await citedAnswer(owner, agent.instanceId, question);
    expect(kinds.at(-1)).toBe('RunFinished');
    const best = citations.find(({ text: passage }) => passage.includes('citric acid'));
    expect(best).toMatchObject({ documentId, documentName: manual.name, page: 3, messageId: messageIds[0] });
    expect(best!.text).toContain('Vinegar ruins the seals');
    expect(best!.score).toBeGreaterThan(0);
    expect(new Set(citations.map(({ chunkId }) => chunkId)).size).toBe(citations.length);
    const at = kinds.indexOf('TextMessageStart');
    expect(kinds.slice(at + 1, at + 1 + citations.length)).toEqual(citations.map(() => 'CitationAdded'));
    expect(kinds.indexOf('ToolCallResult')).toBeLessThan(at);
    expect(text).toContain('citric acid');
  });

  it("is nothing to another project's agent, nor to a stranger who knows its id", async () => {
    const stranger = await store.signUp();
    const theirs = await knowledgeAgent(stranger);
    const secret = note('The password of the safe of Lisbon is hazelnut.', 'safe.md');
    const documentId = await uploaded(owner, agent.knowledgeBaseId, secret);
    await ingested(owner, agent.knowledgeBaseId, documentId);
    const asked = 'What is the password of the safe of Lisbon?';
    const own = await citedAnswer(owner, agent.instanceId, asked);
    expect(own.citations.map((one) => one.documentId)).toContain(documentId);
    const other = await citedAnswer(stranger, theirs.instanceId, asked);
    expect(other.kinds.at(-1)).toBe('RunFinished');
    expect(other.citations).toEqual([]);
    expect(other.text).not.toContain('hazelnut');
    expect((await ingest(stranger, documentId)).errors).toMatchObject([{ code: 'DOCUMENT_NOT_FOUND' }]);
    expect((await announce(stranger, agent.knowledgeBaseId, note('x'))).errors).toMatchObject([
      { code: 'KNOWLEDGE_BASE_NOT_FOUND' },
    ]);
  });

  it('is cited no more once it is deleted', async () => {
    const documentId = await uploaded(
      owner,
      agent.knowledgeBaseId,
      note('Umbrellas are lent at the till for a deposit of nine crowns.', 'umbrellas.md'),
    );
    await ingested(owner, agent.knowledgeBaseId, documentId);
    const cited = async () =>
      (await citedAnswer(owner, agent.instanceId, 'What is the deposit for umbrellas?')).citations.map(
        (one) => one.documentId,
      );
    expect(await cited()).toContain(documentId);
    await remove(documentId);
    expect(await cited()).not.toContain(documentId);
  });

  it('is taken in as announced and not otherwise: another sha256 is refused by the storage', async () => {
    const file = note('These are the bytes.', 'bytes.md');
    const wrong = await announce(owner, agent.knowledgeBaseId, file, { sha256: sha256Of(Buffer.from('x')) });
    const answer = await put(wrong.upload, file.bytes);
    expect(answer.status).toBe(400);
    expect((await ingest(owner, wrong.document!.id)).errors).toMatchObject([{ code: 'UPLOAD_MISSING' }]);
  });

  it('is ingested once, however often that is asked', async () => {
    const documentId = await uploaded(owner, agent.knowledgeBaseId, note('Once is enough.', 'once.md'));
    const answers = await Promise.all([1, 2, 3].map(() => ingest(owner, documentId)));
    expect(answers.map(({ document }) => document!.attempt)).toEqual([1, 1, 1]);
    await ready(documentId);
    expect((await ingest(owner, documentId)).document).toMatchObject({ state: 'READY', attempt: 1 });
  });

  it('is gone when it is deleted while it is ingested', async () => {
    const long = note(
      Array.from({ length: 3_000 }, (_, at) => `# Part ${at}\n\nGloves of size ${at}.\n`).join('\n'),
      'gloves.md',
    );
    const documentId = await uploaded(owner, agent.knowledgeBaseId, long);
    await ingest(owner, documentId);
    await remove(documentId);
    const { citations } = await citedAnswer(owner, agent.instanceId, 'Gloves of size 7?');
    expect(citations.map((one) => one.documentId)).not.toContain(documentId);
    expect(await stateOf(documentId)).toBeUndefined();
  });

  it('goes in over REST, too', async () => {
    const post = async (where: string, body: object) => {
      const answer = await fetch(`${store.stack.publicOrigin}/v1/kb/${agent.knowledgeBaseId}${where}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const { bytes, ...file } = note('Parcels over REST.', 'rest.md');
    const init = await post('/uploads:init', { ...file, sizeBytes: bytes.length, sha256: sha256Of(bytes) });
    expect(init.status).toBe(201);
    const { document, upload } = init.body as {
      document: { id: string };
      upload: { url: string; method: string; headers: Record<string, string> };
    };
    const { url, method, headers } = upload;
    expect((await fetch(url, { method, headers, body: bytes })).status).toBe(200);
    expect(await post(':ingest', { documentId: document.id })).toMatchObject({
      status: 202,
      body: { id: document.id },
    });
    await ready(document.id);
  });
});

it('a project holds no more than its plans give', async () => {
  const person = await store.signUp();
  const { projectId, knowledgeBaseId } = await knowledgeAgent(person);
  const large = await announce(person, knowledgeBaseId, note('x'), { sizeBytes: 21 * 2 ** 20 });
  expect(large).toMatchObject({
    document: null,
    errors: [{ code: 'QUOTA_EXCEEDED' }],
    quota: { what: 'BYTES', limit: String(20 * 2 ** 20), used: '0' },
  });
  await knowledgeBaseOf(person, projectId);
  await expect(knowledgeBaseOf(person, projectId)).rejects.toThrow('QUOTA_EXCEEDED');
});

it('the job of the first start shows a cited answer, and uploads nothing again', async () => {
  const person = await store.signUp();
  const { projectId } = await knowledgeAgent(person);
  let said = '';
  const perform = () => {
    said = '';
    return knowledgeJob(
      {
        graphqlUrl: store.graphqlUrl,
        accessToken: person.token,
        projectId,
        offeringSlug: 'help-desk',
        documents: [{ file: path.join(corpus, manual.name), contentType: manual.contentType }],
      },
      createProgress({ write: (text) => (said += text), colour: false }),
      question,
    );
  };
  const first = await perform();
  expect(said).toMatch(/espresso-machine\.pdf +READY +100 %/);
  expect(said).toMatch(/\[1\] espresso-machine\.pdf, page 3 \(score [01]\.\d\d\)/);
  expect(await perform()).toBe(first);
  expect(said).toMatch(/espresso-machine\.pdf +is there, \d+ passages/);
});

const stateOf = async (documentId: string): Promise<string | undefined> => {
  const { project } = await owner.query(knowledgeBases, { projectId: agent.projectId });
  return project.knowledgeBases.edges
    .flatMap(({ node }) => node.documents.edges)
    .find(({ node }) => node.id === documentId)?.node.state;
};

async function ready(documentId: string): Promise<void> {
  await expect.poll(() => stateOf(documentId)).toBe('READY');
}
