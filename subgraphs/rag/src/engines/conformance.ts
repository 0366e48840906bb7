import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import type { Base, BaseDocument, Citation, Ingest, KnowledgeEngine } from './engine.ts';
import { ingestFailures } from './engine.ts';

const parcels = `# Shipping

Parcels leave our warehouse in Lisbon every weekday at noon. A parcel inside Portugal arrives after two days.

# Customs

For countries outside the European Union the buyer pays the customs duty to the carrier.
`;
const espresso = `# Espresso machine

Descale the machine every three months with citric acid. The warranty lasts four years from the invoice.
`;

/**
 * What holds for every engine. `open` gives one that keeps its documents apart from those of other test files; it may take until the deadline of a hook.
 */
export function describeEngine(name: string, open: () => Promise<KnowledgeEngine>): void {
  describe(`${name} as an engine`, () => {
    let engine: KnowledgeEngine;
    const tenancy = { organizationId: uuidv7(), projectId: uuidv7() };
    const newBase = async (): Promise<Base> => {
      const base = { ...tenancy, knowledgeBaseId: uuidv7() };
      await engine.createBase({ ...base, name: 'Shop', language: null });
      return base;
    };
    const ingest = (document: BaseDocument, text: string, more: Partial<Ingest> = {}) =>
      engine.ingest({
        ...document,
        name: 'shop.md',
        contentType: 'text/markdown',
        bytes: async () => piecesOf(text),
        signal: new AbortController().signal,
        onProgress: () => undefined,
        ...more,
      });
    const add = async (base: Base, text: string): Promise<BaseDocument> => {
      const document = { ...base, documentId: uuidv7() };
      expect(await ingest(document, text)).toMatchObject({ ok: true });
      return document;
    };
    const search = (base: Base, query: string, limit = 5): Promise<Citation[]> =>
      engine.search({ ...base, query, limit });

    beforeAll(async () => {
      engine = await open();
    });
    afterAll(async () => {
      expect(await engine.ready()).toBe(true);
    });

    test('cites the passage that answers, with its document', async () => {
      const base = await newBase();
      const shipping = await add(base, parcels);
      await add(base, espresso);
      const [best] = await search(base, 'who pays customs duty?');
      expect(best).toMatchObject({
        documentId: shipping.documentId,
        documentName: 'shop.md',
        text: expect.stringContaining('customs duty to the carrier') as string,
        page: null,
      });
    });

    test('answers the best first, with scores from 0 to 1 and no more than asked for', async () => {
      const base = await newBase();
      for (const text of [parcels, espresso, parcels]) await add(base, text);
      const all = await search(base, 'parcel customs warranty machine', 50);
      const scores = all.map(({ score }) => score);
      expect(all.length).toBeGreaterThanOrEqual(3);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
      expect(new Set(all.map(({ chunkId }) => chunkId)).size).toBe(all.length);
      expect(await search(base, 'parcel customs warranty machine', 1)).toHaveLength(1);
    });

    test('says how far an ingest is, never less than before', async () => {
      const base = await newBase();
      const said: number[] = [];
      const outcome = await ingest({ ...base, documentId: uuidv7() }, parcels, {
        onProgress: (progress) => said.push(progress),
      });
      expect(outcome).toEqual({ ok: true, value: { chunks: expect.any(Number) as number } });
      expect(said).toEqual(said.toSorted((a, b) => a - b));
      expect(said.every((progress) => progress >= 0 && progress <= 1)).toBe(true);
      expect(said.at(-1)).toBe(1);
    });

    test('replaces a document that is ingested again', async () => {
      const base = await newBase();
      const document = await add(base, parcels);
      expect(await ingest(document, espresso)).toMatchObject({ ok: true });
      const found = await search(base, 'parcel customs warranty', 50);
      expect(found.map(({ text }) => text).join('\n')).toContain('warranty lasts four years');
      expect(found.map(({ text }) => text).join('\n')).not.toContain('customs');
    });

    test('says why a file cannot be read, and keeps what was searchable', async () => {
      const base = await newBase();
      const document = await add(base, parcels);
      const outcome = await ingest(document, '%PDF-1.7\nand then nothing of a PDF', {
        name: 'broken.pdf',
        contentType: 'application/pdf',
      });
      expect(outcome).toMatchObject({
        ok: false,
        error: {
          code: expect.toBeOneOf([...ingestFailures]) as string,
          message: expect.stringMatching(/\w/) as string,
        },
      });
      expect(await search(base, 'customs duty')).not.toEqual([]);
    });

    test('ends an ingest with the reason of its signal, and nothing of it is found', async () => {
      const base = await newBase();
      const abort = new AbortController();
      const reason = new Error('the document was deleted');
      const attempt = ingest({ ...base, documentId: uuidv7() }, parcels, {
        signal: abort.signal,
        bytes: async () => {
          abort.abort(reason);
          return piecesOf(parcels);
        },
      });
      await expect(attempt).rejects.toBe(reason);
      expect(await search(base, 'customs duty')).toEqual([]);
    });

    test('forgets a deleted document, also when told twice', async () => {
      const base = await newBase();
      const shipping = await add(base, parcels);
      await add(base, espresso);
      await engine.deleteDocument(shipping);
      await engine.deleteDocument(shipping);
      const found = await search(base, 'customs duty parcel warranty machine', 50);
      expect(found.length).toBeGreaterThan(0);
      expect(found.map(({ documentId }) => documentId)).not.toContain(shipping.documentId);
    });

    test('searches only in the documents that are named', async () => {
      const base = await newBase();
      await add(base, parcels);
      const named = await add(base, parcels);
      const found = await engine.search({
        ...base,
        query: 'customs duty',
        limit: 50,
        documents: [named.documentId],
      });
      expect(new Set(found.map(({ documentId }) => documentId))).toEqual(new Set([named.documentId]));
      expect(
        await engine.search({ ...base, query: 'customs duty', limit: 50, documents: [uuidv7()] }),
      ).toEqual([]);
    });

    test('keeps bases and tenants apart', async () => {
      const base = await newBase();
      const document = await add(base, parcels);
      const strangers = { ...base, organizationId: uuidv7() };
      expect(await search(await newBase(), 'customs duty')).toEqual([]);
      expect(await search(strangers, 'customs duty')).toEqual([]);
      expect(await search({ ...base, projectId: uuidv7() }, 'customs duty')).toEqual([]);
      expect(await ingest({ ...strangers, documentId: uuidv7() }, espresso)).toMatchObject({
        ok: false,
        error: { code: 'BASE_NOT_FOUND' },
      });
      await engine.deleteDocument({ ...document, organizationId: strangers.organizationId });
      await engine.deleteBase(strangers);
      expect(await search(base, 'customs duty')).not.toEqual([]);
    });

    test('forgets a deleted base, also when told twice, and takes nothing in any more', async () => {
      const base = await newBase();
      await add(base, parcels);
      await engine.deleteBase(base);
      await engine.deleteBase(base);
      expect(await search(base, 'customs duty')).toEqual([]);
      expect(await ingest({ ...base, documentId: uuidv7() }, parcels)).toMatchObject({
        ok: false,
        error: { code: 'BASE_NOT_FOUND' },
      });
    });

    test('makes a base once, however often it is asked to', async () => {
      const base = await newBase();
      await add(base, parcels);
      await engine.createBase({ ...base, name: 'Shop', language: null });
      expect(await search(base, 'customs duty')).not.toEqual([]);
    });

    test('takes every sign of a query as a word or as nothing', async () => {
      const base = await newBase();
      await add(base, parcels);
      expect(await search(base, `customs'; drop & | ! :* <-> ( "duty \\ % _ ?`)).not.toEqual([]);
      expect(await search(base, '&|!():*')).toEqual([]);
    });
  });
}

async function* piecesOf(text: string): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 64) yield bytes.subarray(at, at + 64);
}
