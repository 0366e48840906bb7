import { beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '@agentstore/kernel/db/database';
import { UnavailableError } from '@agentstore/kernel/http/client';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import pg from 'pg';
import { hashingEmbedder } from '../../testing/hashing-embedder.ts';
import { describeEngine } from '../conformance.ts';
import type { Base, BaseDocument, KnowledgeEngine, Language } from '../engine.ts';
import { createEmbeddedEngine, type EmbeddedEngineDeps } from './embedded-engine.ts';

const engineOn = (database: Database, more: Partial<EmbeddedEngineDeps> = {}): KnowledgeEngine =>
  createEmbeddedEngine({
    database,
    embedder: undefined,
    limits: { fileBytes: 1 << 20, pages: 100, textChars: 1 << 20, unpackedBytes: 1 << 24 },
    extraction: { deadlineMs: 100_000, memoryMb: 256 },
    search: { candidates: 256, wholeBaseVectors: 10_000, embedMs: 60_000 },
    log: silentLog,
    ...more,
  });

describeEngine('the embedded engine with words alone', async () =>
  engineOn((await openTestDatabase('rag')).database),
);
describeEngine('the embedded engine with vectors', async () =>
  engineOn((await openTestDatabase('rag')).database, { embedder: hashingEmbedder }),
);

const espressoWords =
  'portafilter basket boiler citric acid steam scald coffee lamp button seal vinegar tank tray';

/** A word as it is written in haste: a letter left out, one too many, two in the wrong order, a part of it alone. */
const misspelt = (word: string): string[] => {
  const at = word.length >> 1;
  const [head, tail] = [word.slice(0, at).toLowerCase(), word.slice(at).toLowerCase()];
  return [
    head + tail.slice(1),
    `${head}q${tail}`,
    `${word.toLowerCase()}q`,
    `q${tail}`,
    head,
    tail,
    `${tail}${head}`,
  ].filter(Boolean);
};

describe('the embedded engine', () => {
  let database: Database;
  let adminUrl: string;
  beforeAll(async () => {
    ({ database, adminUrl } = await openTestDatabase('rag'));
  });

  const newBase = async (engine: KnowledgeEngine, language: Language | null = null): Promise<Base> => {
    const base = { organizationId: uuidv7(), projectId: uuidv7(), knowledgeBaseId: uuidv7() };
    await engine.createBase({ ...base, name: 'Shop', language });
    return base;
  };
  const ingest = (engine: KnowledgeEngine, document: BaseDocument, text: string) =>
    engine.ingest({
      ...document,
      name: 'shop.md',
      contentType: 'text/markdown',
      bytes: async () => new Blob([text]).stream(),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  const add = async (engine: KnowledgeEngine, base: Base, text: string): Promise<BaseDocument> => {
    const document = { ...base, documentId: uuidv7() };
    expect(await ingest(engine, document, text)).toMatchObject({ ok: true });
    return document;
  };
  const texts = async (engine: KnowledgeEngine, base: Base, query: string): Promise<string[]> =>
    (await engine.search({ ...base, query, limit: 10 })).map(({ text }) => text);
  const withAdmin = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const options = '-c search_path=rag,public -c agentstore.scope=*';
    const client = new pg.Client({ connectionString: adminUrl, options });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const asAdmin = <Row extends object>(sql: string, values: unknown[]): Promise<Row[]> =>
    withAdmin(async (client) => (await client.query<Row>(sql, values)).rows);

  test('finds other forms of a word in the language of each document, and in that of the base', async () => {
    const engine = engineOn(database);
    const base = await newBase(engine);
    await add(engine, base, 'The parcels are delivered to your door when you are at home with the family.');
    await add(engine, base, 'Die Pakete werden von dem Fahrer in die Wohnung gebracht und dort ausgepackt.');
    expect(await texts(engine, base, 'delivering a parcel')).toEqual([expect.stringContaining('delivered')]);
    expect(await texts(engine, base, 'Wohnungen')).toEqual([expect.stringContaining('Wohnung')]);
    const simple = await newBase(engine, 'simple');
    await add(engine, simple, 'The parcels are delivered to your door when you are at home with the family.');
    expect(await texts(engine, simple, 'when at')).toHaveLength(1);
    expect(await texts(engine, base, 'when at')).toEqual([]);
  });

  test('finds words that are written wrong or are part of a longer one, and only when they are not known', async () => {
    const engine = engineOn(database);
    const base = await newBase(engine);
    await add(
      engine,
      base,
      '# Espresso\n\nThe machine has a warranty of four years from the day of the invoice.',
    );
    await add(
      engine,
      base,
      '# Rückgabe\n\nDie Rückgabefrist ist dreißig Tage, und sie beginnt mit der Lieferung.',
    );
    expect(await texts(engine, base, 'waranty')).toEqual([expect.stringContaining('warranty')]);
    expect(await texts(engine, base, 'Frist')).toEqual([expect.stringContaining('Rückgabefrist')]);
    expect(await texts(engine, base, 'the of und')).toEqual([]);
  });

  test('misses no term that is like a word, though it looks at few of them', async () => {
    const engine = engineOn(database);
    const base = await newBase(engine, 'simple');
    const known =
      'Rückgabefrist Lieferung warranty guarantee espresso machine descaling 日本語の文書 an ox i7 e-mail-adresse naïveté';
    await add(engine, base, `${known} ${espressoWords}`);
    const words = `${known} ${espressoWords}`.split(' ').flatMap(misspelt);
    const [alike, ofAll] = await withAdmin(async (client) => {
      await client.query(
        `set pg_trgm.similarity_threshold = 0.4; set pg_trgm.word_similarity_threshold = 0.6`,
      );
      const found = (terms: string) =>
        client.query(
          `select word, t.term, t.likeness from unnest($2::text[]) word, lateral (${terms}) t order by word, t.likeness desc, t.term`,
          [base.knowledgeBaseId, words],
        );
      return [
        (await found('select * from terms_alike($1, word)')).rows,
        (
          await found(
            `select term, greatest(similarity(term, word), word_similarity(word, term)) as likeness from indexed_term
             where knowledge_base_id = $1 and (term % word or term %> word) order by 2 desc, term limit 3`,
          )
        ).rows,
      ];
    });
    expect(ofAll.length).toBeGreaterThan(words.length / 2);
    expect(alike).toEqual(ofAll);
  });

  test('reads few blocks for a search, also by likeness, whether others hold the same ten or a thousand times', async () => {
    const engine = engineOn(database);
    const base = await newBase(engine, 'simple');
    const sections = Array.from(
      { length: 20 },
      (_, at) => `# S${at}\n\nkettle copper word${at} part${at % 7}`,
    );
    const shared = await add(engine, base, sections.join('\n\n'));
    await add(engine, base, Array.from({ length: 3_000 }, (_, at) => 100_000 + at).join(' ')); // words that a lookup has to pass by
    const blocksRead = ['kettle copper word7', 'kettle copper wurd7'].map(
      (query) => async (client: pg.Client) => {
        const { organizationId, projectId, knowledgeBaseId } = base;
        const search = `'${organizationId}', '${projectId}', '${knowledgeBaseId}', '${query}', null, 256, 100`;
        const explain = `explain (analyze, buffers, format json) select * from rank_chunks(${search})`;
        await client.query(explain); // the first one makes the plans
        const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(explain);
        const [{ Plan: plan }] = rows[0]!['QUERY PLAN'];
        expect(plan['Actual Rows']).toBe(20);
        return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!;
      },
    );
    const amongOthers = (others: number): Promise<number[]> =>
      withAdmin(async (client) => {
        await client.query(
          `with other as (select uuidv7() as id from generate_series(1, $3)),
           base as (insert into indexed_base (knowledge_base_id, organization_id, project_id) select id, id, id from other),
           document as (insert into indexed_document (document_id, knowledge_base_id, organization_id, name) select id, id, id, '' from other),
           terms as (insert into indexed_term (knowledge_base_id, term, organization_id, chunks)
             select o.id, t.term, o.id, t.chunks from other o, indexed_term t
             where t.knowledge_base_id = $1 and t.term in (select unnest(tsvector_to_array(tsv)) from chunk where document_id = $2))
           insert into chunk (id, document_id, ingest_id, knowledge_base_id, organization_id, text, tsv)
           select uuidv7(), o.id, o.id, o.id, o.id, c.text, c.tsv from other o, chunk c where c.document_id = $2`,
          [base.knowledgeBaseId, shared.documentId, others],
        );
        await client.query('vacuum analyze');
        const blocks = [];
        for (const read of blocksRead) blocks.push(await read(client));
        return blocks;
      });
    // Some fifty: reading all words of the base, or what others have of a word, takes more.
    expect(Math.max(...(await amongOthers(10)), ...(await amongOthers(990)))).toBeLessThan(65);
  });

  test('counts in how many chunks a word is, through every change', async () => {
    const engine = engineOn(database);
    const base = await newBase(engine, 'simple');
    const counted = () =>
      asAdmin(`select term, chunks from indexed_term where knowledge_base_id = $1 order by term`, [
        base.knowledgeBaseId,
      ]);
    const first = await add(engine, base, 'red green');
    const second = await add(engine, base, 'green blue');
    expect(await counted()).toEqual([
      { term: 'blue', chunks: 1 },
      { term: 'green', chunks: 2 },
      { term: 'red', chunks: 1 },
    ]);
    await ingest(engine, first, 'blue');
    expect(await counted()).toEqual([
      { term: 'blue', chunks: 2 },
      { term: 'green', chunks: 1 },
    ]);
    await engine.deleteDocument(second);
    expect(await counted()).toEqual([{ term: 'blue', chunks: 1 }]);
    await engine.deleteDocument(first);
    expect(await counted()).toEqual([]);
    const [{ chunks }] = (await asAdmin(`select chunks from indexed_base where knowledge_base_id = $1`, [
      base.knowledgeBaseId,
    ])) as [{ chunks: number }];
    expect(chunks).toBe(0);
  });

  test('keeps one text of a document that is ingested several times at once, beside others of the base', async () => {
    const engine = engineOn(database);
    const base = await newBase(engine, 'simple');
    const document = { ...base, documentId: uuidv7() };
    const outcomes = await Promise.all([
      ingest(engine, document, 'red one shared'),
      ingest(engine, document, 'red two shared'),
      add(engine, base, 'red three shared').then(() => ({ ok: true })),
      ingest(engine, document, 'red four shared'),
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, true]);
    expect(await texts(engine, base, 'red')).toHaveLength(2);
    const terms = await asAdmin(
      `select term, chunks from indexed_term where knowledge_base_id = $1 and term in ('red', 'shared')`,
      [base.knowledgeBaseId],
    );
    expect(terms).toEqual([
      { term: 'red', chunks: 2 },
      { term: 'shared', chunks: 2 },
    ]);
  });

  test('finds what has all common words first when the candidates are few', async () => {
    const engine = engineOn(database, { search: { candidates: 3, wholeBaseVectors: 0, embedMs: 60_000 } });
    const base = await newBase(engine, 'simple');
    const sections = Array.from(
      { length: 40 },
      (_, at) => `# S${at}\n\n${at % 2 ? 'kettle' : 'copper'} common`,
    );
    await add(engine, base, [...sections, '# Last\n\ncopper kettle common'].join('\n\n'));
    const [best, ...others] = await texts(engine, base, 'common copper kettle');
    expect(best).toContain('copper kettle');
    expect(others.length).toBeLessThan(4);
  });

  test('answers by words when the embedder is away, and does not take documents in without it', async () => {
    const engine = engineOn(database, { embedder: hashingEmbedder });
    const base = await newBase(engine);
    await add(engine, base, 'The warranty lasts four years.');
    const embed = () => Promise.reject(new UnavailableError('embeddings', 'no answer'));
    const without = engineOn(database, { embedder: { ...hashingEmbedder, embed } });
    expect(await texts(without, base, 'warranty')).toEqual(['The warranty lasts four years.']);
    await expect(ingest(without, { ...base, documentId: uuidv7() }, 'More.')).rejects.toThrow(
      UnavailableError,
    );
  });

  test('finds by vectors what no word finds; in a base too large for that, vectors only order what words find', async () => {
    const bounds = { candidates: 256, embedMs: 60_000 };
    const engine = engineOn(database, {
      embedder: hashingEmbedder,
      search: { ...bounds, wholeBaseVectors: 10_000 },
    });
    const base = await newBase(engine);
    await add(engine, base, 'Bicycles are lent to you while yours is in the workshop.');
    expect(await texts(engine, base, 'vélo')).toHaveLength(1);
    const large = engineOn(database, {
      embedder: hashingEmbedder,
      search: { ...bounds, wholeBaseVectors: 0 },
    });
    expect(await texts(large, base, 'vélo')).toEqual([]);
    expect(await texts(large, base, 'bicycle')).toHaveLength(1);
  });

  test('never compares vectors of different models', async () => {
    const engine = engineOn(database, { embedder: hashingEmbedder });
    const base = await newBase(engine);
    await add(engine, base, 'Bicycles are lent to you.');
    const other = engineOn(database, { embedder: { ...hashingEmbedder, model: 'another' } });
    expect(await texts(other, base, 'vélo')).toEqual([]);
  });

  test('keeps the rows of tenants apart, whatever a query forgets', async () => {
    const engine = engineOn(database);
    await add(engine, await newBase(engine), 'The warranty lasts four years.');
    const seen = await Promise.all(
      ['indexed_base', 'indexed_document', 'chunk', 'indexed_term', 'chunk_vector'].map((table) =>
        database.statement<object>(`all-${table}`, `select * from ${table}`),
      ),
    );
    expect(seen.flat()).toEqual([]);
  });
});
