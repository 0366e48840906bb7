import { beforeAll, describe, expect, it } from 'vitest';
import { sha256Of, startRagApp, uuidOf, type Project, type RagApp } from '../testing/rag-app.ts';

let app: RagApp;
let home: Project;
let base: string;
beforeAll(async () => {
  app = await startRagApp();
  home = app.project();
  base = await app.base(home);
});
const text = 'Parcels leave Lisbon every weekday at noon.';
const init = (input: object = {}) => app.init(home.developer, base, text, input);

describe('documentUploadInit', () => {
  it('answers an address that takes the announced file and no other', async () => {
    const { document, upload } = await init({ name: 'bound.md' });
    expect(document).toMatchObject({ state: 'AWAITING_UPLOAD', progress: 0, attempt: 0 });
    const statusOf = async (body: string, change: (url: string) => string = (url) => url) =>
      (await app.put({ ...upload!, url: change(upload!.url) }, body)).status;
    const withType = (value: string) => ({
      ...upload!,
      headers: upload!.headers.map((header) =>
        header.name === 'content-type' ? { ...header, value } : header,
      ),
    });
    expect(await statusOf(`${text}!`)).toBe(403);
    expect(await statusOf(text.replace('noon', 'nine'))).toBe(400);
    expect((await app.put(withType('text/html'), text)).status).toBe(403);
    expect(await statusOf(text, (url) => url.replace(uuidOf(document!.id), uuidOf(base)))).toBe(403);
    expect(await app.isStored(document!.id)).toBe(false);
    expect(await statusOf(text)).toBe(200);
    expect(await app.isStored(document!.id)).toBe(true);
  });

  it('gives an address that ends after a quarter of an hour', async () => {
    const { upload } = await init({ name: 'late.md' });
    app.clock.skewMs = 16 * 60_000;
    const late = await app.put(upload!, text);
    app.clock.skewMs = 0;
    expect([late.status, await late.text()]).toEqual([403, expect.stringContaining('expired') as string]);
    expect((await app.put(upload!, text)).status).toBe(200);
  });

  it('is the same document for the same file while it is awaited', async () => {
    const first = await init({ name: 'twice.md' });
    const second = await init({ name: 'twice.md' });
    expect(second.document!.id).toBe(first.document!.id);
    expect((await init({ name: 'other.md' })).document!.id).not.toBe(first.document!.id);
    await app.put(second.upload!, text);
    await app.ingest(home.developer, first.document!.id);
    expect((await init({ name: 'twice.md' })).document!.id).not.toBe(first.document!.id);
  });

  it.each([
    ['a name with a slash', { name: 'a/b.md' }, 'INVALID_INPUT', 'name'],
    ['a name of 256 bytes', { name: 'ü'.repeat(128) }, 'INVALID_INPUT', 'name'],
    ['a type with parameters', { contentType: 'text/plain; charset=utf-8' }, 'INVALID_INPUT', 'contentType'],
    ['an odd hash', { sha256: sha256Of(text).toUpperCase() }, 'INVALID_INPUT', 'sha256'],
    ['an empty file', { sizeBytes: 0 }, 'INVALID_INPUT', 'sizeBytes'],
    ['200 MB', { sizeBytes: 200_000_000 }, 'FILE_TOO_LARGE', 'sizeBytes'],
  ])('refuses %s', async (_what, input, code, field) => {
    expect(await init(input)).toMatchObject({ document: null, upload: null, errors: [{ code, field }] });
  });

  it('never gives more room than there is, however many ask at once', async () => {
    const project = app.project({ documents: 4, bytes: 1_000 });
    const few = await app.base(project);
    const ask = (into: string, at: number, sizeBytes: number) =>
      app.init(project.developer, into, text, { name: `${at}.md`, sizeBytes });
    const made = await Promise.all(Array.from({ length: 9 }, (_, at) => ask(few, at, 50)));
    expect(made.filter(({ document }) => document)).toHaveLength(4);
    expect(made.find(({ errors }) => errors.length)).toMatchObject({
      errors: [{ code: 'QUOTA_EXCEEDED' }],
      quota: { what: 'DOCUMENTS', limit: '4', used: '4' },
    });
    const other = await app.base(project);
    const large = await Promise.all(Array.from({ length: 3 }, (_, at) => ask(other, at, 300)));
    expect(large.filter(({ document }) => document)).toHaveLength(2);
    expect(large.find(({ errors }) => errors.length)!.quota).toEqual({
      what: 'BYTES',
      limit: '1000',
      used: '800',
    });
    await app.delete(project.developer, made.find(({ document }) => document)!.document!.id);
    expect((await ask(few, 10, 200)).document).toMatchObject({ state: 'AWAITING_UPLOAD' });
  });

  it('is refused where the plans give nothing', async () => {
    const project = app.project({ bytes: 0 });
    const { errors, quota } = await app.init(project.developer, await app.base(project), text);
    expect(errors).toMatchObject([{ code: 'NOT_ENTITLED' }]);
    expect(quota).toMatchObject({ what: 'BYTES', limit: '0' });
  });

  it('is for those who may manage knowledge there; strangers learn nothing', async () => {
    const asked = (caller: Parameters<RagApp['graph']>[0]) =>
      app.graph(
        caller,
        'mutation ($input: DocumentUploadInitInput!) { documentUploadInit(input: $input) { errors { code } } }',
        {
          input: {
            knowledgeBaseId: base,
            name: 'a.md',
            contentType: 'text/markdown',
            sizeBytes: 1,
            sha256: sha256Of('a'),
          },
        },
      );
    expect((await asked(app.member(home.organizationId))).errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' } },
    ]);
    expect((await asked(app.project().developer)).data).toEqual({
      documentUploadInit: { errors: [{ code: 'KNOWLEDGE_BASE_NOT_FOUND' }] },
    });
  });
});

describe('an upload that is never finished', () => {
  const expire = (id: string, interval: string) =>
    app.rows(`update document set upload_until = now() - interval '${interval}' where id = $1`, [uuidOf(id)]);

  it('goes away with what was put there, and gives back its room', async () => {
    const id = await app.upload(home.developer, base, text, 'forgotten.md');
    await expire(id, '31 minutes');
    await expect.poll(() => app.rows('select id from document where id = $1', [uuidOf(id)])).toEqual([]);
    expect(app.storedKeys().filter((key) => key.endsWith(uuidOf(id)))).toEqual([]);
    expect((await app.ingest(home.developer, id)).errors).toMatchObject([{ code: 'DOCUMENT_NOT_FOUND' }]);
  });

  it('may still end for as long as its address lived', async () => {
    const id = await app.upload(home.developer, base, text, 'slow.md');
    await expire(id, '14 minutes');
    const gone = await app.upload(home.developer, base, text, 'gone.md');
    await expire(gone, '16 minutes');
    await expect.poll(() => app.document(home.developer, gone)).toBeNull();
    expect((await app.ingest(home.developer, id)).errors).toEqual([]);
  });

  it('leaves nothing behind that was put under its address after it was deleted', async () => {
    const { document, upload } = await init({ name: 'after.md' });
    await app.delete(home.developer, document!.id);
    await expect
      .poll(() =>
        app.rows('select id from document where id = $1 and purge_at > now()', [uuidOf(document!.id)]),
      )
      .toHaveLength(1);
    expect((await app.put(upload!, text)).status).toBe(200);
    expect(await app.isStored(document!.id)).toBe(true);
    await app.rows(
      `update document set upload_until = now() - interval '16 minutes', purge_at = now() where id = $1`,
      [uuidOf(document!.id)],
    );
    await expect
      .poll(() => app.rows('select id from document where id = $1', [uuidOf(document!.id)]))
      .toEqual([]);
    expect(app.storedKeys().filter((key) => key.endsWith(uuidOf(document!.id)))).toEqual([]);
  });
});
