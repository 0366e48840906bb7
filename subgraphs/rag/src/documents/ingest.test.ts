import { beforeAll, describe, expect, it } from 'vitest';
import { UnavailableError } from '@agentstore/kernel/service-client';
import { startRagApp, uuidOf, type Project, type RagApp, type SeenDocument } from '../testing/rag-app.ts';

let app: RagApp;
let home: Project;
let base: string;
beforeAll(async () => {
  app = await startRagApp();
  home = app.project();
  base = await app.base(home);
});
const text = 'For countries outside the Union the buyer pays the customs duty.';
const upload = (name: string) => app.upload(home.developer, base, text, name);
const ingest = (id: string) => app.ingest(home.developer, id);
const see = (id: string) => app.document(home.developer, id);
const ingests = (name: string) => app.calls.filter((call) => call === `ingest ${name}`).length;
const goOn = async (name: string) => {
  await expect.poll(() => app.goOn(name)).toBe(true);
};
const waits = async (name: string) => {
  await expect.poll(() => app.waits(name)).toBe(true);
};

describe('documentIngest', () => {
  it('makes an uploaded document searchable, once, however often it is asked for', async () => {
    const id = await upload('once.md');
    app.course('once.md', { steps: [0.5] });
    const asked = await Promise.all([ingest(id), ingest(id), ingest(id)]);
    expect(asked.map(({ errors }) => errors)).toEqual([[], [], []]);
    await waits('once.md');
    expect((await ingest(id)).document).toMatchObject({ state: 'INGESTING', attempt: 1 });
    await goOn('once.md');
    await expect
      .poll(() => see(id))
      .toMatchObject({ state: 'READY', progress: 1, chunkCount: 1, error: null });
    expect((await ingest(id)).document).toMatchObject({ state: 'READY', attempt: 1 });
    expect(ingests('once.md')).toBe(1);
  });

  it('wants the announced bytes to be there', async () => {
    const { document } = await app.init(home.developer, base, text, { name: 'missing.md' });
    expect(await ingest(document!.id)).toMatchObject({
      document: null,
      errors: [{ code: 'UPLOAD_MISSING' }],
    });
    const id = await upload('forged.md');
    await app.rows('update document set sha256 = $2 where id = $1', [uuidOf(id), 'f'.repeat(64)]);
    expect((await ingest(id)).errors).toMatchObject([{ code: 'UPLOAD_MISMATCH' }]);
    await app.rows('update document set size_bytes = size_bytes - 1 where id = $1', [uuidOf(id)]);
    expect((await ingest(id)).errors).toMatchObject([{ code: 'UPLOAD_MISMATCH' }]);
    expect(await see(id)).toMatchObject({ state: 'AWAITING_UPLOAD', attempt: 0 });
    expect(ingests('forged.md')).toBe(0);
  });

  it('knows no document of another project or base', async () => {
    const id = await upload('private.md');
    const code = async (caller: Parameters<RagApp['ingest']>[0], more: object = {}) =>
      (await app.ingest(caller, id, more)).errors[0]?.code;
    const sibling = app.project({}, home.organizationId);
    expect(await code(app.project().developer)).toBe('DOCUMENT_NOT_FOUND');
    expect(await code(home.developer, { knowledgeBaseId: await app.base(sibling) })).toBe(
      'DOCUMENT_NOT_FOUND',
    );
    expect(await code(home.developer, { knowledgeBaseId: 'nonsense' })).toBe('DOCUMENT_NOT_FOUND');
    expect((await app.delete(app.project().developer, id)).errors).toMatchObject([
      { code: 'DOCUMENT_NOT_FOUND' },
    ]);
    expect(await app.document(app.project().developer, id)).toBeNull();
    expect(await code(home.developer, { knowledgeBaseId: base })).toBeUndefined();
  });

  it('says why a file failed, and tries again when it is asked to', async () => {
    const id = await upload('broken.md');
    app.course('broken.md', { refuses: { code: 'FILE_BROKEN', message: 'The file ends in the middle.' } });
    await ingest(id);
    await expect
      .poll(() => see(id))
      .toMatchObject({
        state: 'FAILED',
        failure: 'FILE_BROKEN',
        error: 'The file ends in the middle.',
      });
    app.course('broken.md', {});
    expect((await ingest(id)).document).toMatchObject({
      state: 'UPLOADED',
      attempt: 2,
      progress: 0,
      failure: null,
    });
    await expect.poll(() => see(id)).toMatchObject({ state: 'READY', attempt: 2 });
  });

  it('tries again by itself when the engine was away, and fails when it stays away', async () => {
    const id = await upload('away.md');
    app.course('away.md', { throws: () => new UnavailableError('engine', 'no answer') });
    await ingest(id);
    const soon = () =>
      app.rows('update document set lease_until = now() where id = $1 and lease_id is null', [uuidOf(id)]);
    await expect
      .poll(async () => (await soon(), see(id)))
      .toMatchObject({ state: 'FAILED', failure: 'ENGINE_UNAVAILABLE' });
    expect(ingests('away.md')).toBe(3);
  });

  it('fails a document whose bytes were changed in storage after the check', async () => {
    const id = await upload('swapped.md');
    app.course('swapped.md', { steps: [0.1], throws: () => new UnavailableError('engine', 'no answer') });
    await ingest(id);
    await goOn('swapped.md');
    await expect
      .poll(() => app.rows('select 1 from document where id = $1 and lease_id is null', [uuidOf(id)]))
      .toHaveLength(1);
    await app.rows(`update document set sha256 = $2, lease_until = now() where id = $1`, [
      uuidOf(id),
      '0'.repeat(64),
    ]);
    await expect.poll(() => see(id)).toMatchObject({ state: 'FAILED', failure: 'UPLOAD_MISMATCH' });
  });
});

describe('a worker that dies', () => {
  it('loses its document to another after its lease, and can write nothing any more', async () => {
    const id = await upload('orphan.md');
    app.course('orphan.md', { steps: [0.4, 0.2] });
    await ingest(id);
    await waits('orphan.md');
    await expect.poll(() => see(id)).toMatchObject({ state: 'INGESTING', progress: 0.4 });
    // As if it had been silent for a lease: another one has the document now.
    await app.rows(`update document set lease_id = gen_random_uuid(), lease_until = now() where id = $1`, [
      uuidOf(id),
    ]);
    await expect.poll(() => ingests('orphan.md')).toBe(2);
    await waits('orphan.md');
    expect(await see(id)).toMatchObject({ state: 'INGESTING', progress: 0.4, attempt: 1 });
    await goOn('orphan.md');
    await goOn('orphan.md');
    await expect.poll(() => see(id)).toMatchObject({ state: 'READY', progress: 1, attempt: 1 });
    expect(ingests('orphan.md')).toBe(2);
  });

  it('ends with its document when that is what ends workers', async () => {
    const id = await upload('poison.md');
    app.course('poison.md', { steps: [0.1] });
    await ingest(id);
    await waits('poison.md');
    await app.rows(
      `update document set tries = 3, lease_id = gen_random_uuid(), lease_until = now() where id = $1`,
      [uuidOf(id)],
    );
    await expect.poll(() => see(id)).toMatchObject({ state: 'FAILED', failure: 'INTERNAL' });
    expect(ingests('poison.md')).toBe(1);
  });

  it('gives its document to another process when it is stopped', async () => {
    const stopped = await startRagApp();
    const project = stopped.project();
    const id = await stopped.upload(project.developer, await stopped.base(project), text, 'handed.md');
    stopped.course('handed.md', { steps: [0.3] });
    await stopped.ingest(project.developer, id);
    await expect.poll(() => stopped.waits('handed.md')).toBe(true);
    await stopped.app.stop();
    expect(await stopped.rows('select state, tries, lease_id from document')).toEqual([
      { state: 'INGESTING', tries: 0, lease_id: null },
    ]);
    const next = stopped.another();
    await next.start();
    await expect.poll(() => stopped.goOn('handed.md')).toBe(true);
    await expect.poll(() => stopped.rows('select state from document')).toEqual([{ state: 'READY' }]);
    await next.stop();
  });
});

describe('documentDelete', () => {
  it('ends an ingest that is under way, and leaves nothing on either side', async () => {
    const id = await upload('doomed.md');
    app.course('doomed.md', { steps: [0.5, 0.6] });
    await ingest(id);
    await waits('doomed.md');
    expect((await app.delete(home.developer, id)).errors).toEqual([]);
    expect(await see(id)).toBeNull();
    expect((await app.delete(home.developer, id)).errors).toMatchObject([{ code: 'DOCUMENT_NOT_FOUND' }]);
    await expect.poll(() => app.storedKeys().filter((key) => key.endsWith(uuidOf(id)))).toEqual([]);
    expect(app.documents.has(uuidOf(id))).toBe(false);
    expect(app.calls.lastIndexOf('deleteDocument')).toBeGreaterThan(app.calls.indexOf('ingest doomed.md'));
  });

  it('is finished when the engine comes back', async () => {
    const id = await upload('stays.md');
    await ingest(id);
    await expect.poll(() => see(id)).toMatchObject({ state: 'READY' });
    app.state.failing = new Error('away');
    await app.delete(home.developer, id);
    await expect
      .poll(() => app.rows('select 1 from document where id = $1 and purge_at > now()', [uuidOf(id)]))
      .toHaveLength(1);
    expect(await app.isStored(id)).toBe(true);
    app.state.failing = undefined;
    await app.rows('update document set purge_at = now() where id = $1', [uuidOf(id)]);
    await expect.poll(() => app.isStored(id)).toBe(false);
    expect(app.documents.has(uuidOf(id))).toBe(false);
  });

  it('needs more than to read', async () => {
    const id = await upload('kept.md');
    const answer = await app.graph(
      app.member(home.organizationId),
      'mutation ($id: ID!) { documentDelete(input: { documentId: $id }) { errors { code } } }',
      { id },
    );
    expect(answer.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });
});

describe('documentChanged', () => {
  it('follows a document to its end, and progress never goes back', async () => {
    const project = app.project();
    const followed = await app.base(project);
    const id = await app.upload(project.developer, followed, text, 'watched.md');
    app.course('watched.md', { steps: [0.2, 0.1, 0.7, 0.6] });
    const abort = new AbortController();
    const seen: SeenDocument[] = [];
    const watching = (async () => {
      for await (const change of app.changes(app.member(project.organizationId), followed, abort.signal)) {
        seen.push(change);
        if (change.state === 'READY') return;
      }
    })();
    await expect.poll(() => seen).toMatchObject([{ id, state: 'AWAITING_UPLOAD' }]);
    await app.ingest(project.developer, id);
    for (const progress of [0.2, 0.7]) {
      await expect.poll(() => seen.at(-1)).toMatchObject({ state: 'INGESTING', progress });
      await goOn('watched.md');
      await goOn('watched.md');
    }
    await watching;
    abort.abort();
    const figures = seen.map(({ progress }) => progress);
    expect(figures).toEqual(figures.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ state: 'READY', progress: 1, chunkCount: 1 });
  });

  it('tells of no other base, and a stranger nothing', async () => {
    const abort = new AbortController();
    const strange = app.changes(app.project().developer, base, abort.signal).next();
    await expect(strange).rejects.toThrow('NOT_FOUND');
    const project = app.project();
    const quiet = await app.base(project);
    const followed = await app.base(project);
    const changes = app.changes(project.developer, followed, abort.signal);
    const first = changes.next();
    await app.init(project.developer, quiet, text, { name: 'elsewhere.md' });
    await app.init(project.developer, followed, text, { name: 'here.md' });
    expect((await first).value).toMatchObject({ name: 'here.md' });
    abort.abort();
  });
});
