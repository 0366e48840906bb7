import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import type { Base } from '@agentstore/rag/engines/engine';
import type { BenchIndex } from './open-index.ts';

/** Passages of a base of the ordinary size. */
export const smallBase = 100;
/** Of the passages of a filled store, so many are in small bases at most; the others are in one large base. */
const mostInSmallBases = 50_000;
const wordsOfPassage = 60;
const vocabulary = 20_000;
const atOnce = 20_000;

export interface FilledIndex {
  readonly small: readonly Base[];
  readonly large: Base;
}

/**
 * Fills an index with passages of 60 words, drawn from 20,000 by Zipf's law, until it has so many: half of them in bases of 100 while there are few,
 * the rest in one large base. Passages of a document and terms of a base lie together, as ingest leaves them. The large indexes are made anew
 * afterwards, which is faster than row by row.
 */
export async function fillIndex(
  index: BenchIndex,
  chunks: number,
  filled?: FilledIndex,
): Promise<FilledIndex> {
  const { admin } = index;
  const organizationId = filled?.large.organizationId ?? uuidv7();
  const newBase = (): Base => ({ organizationId, projectId: organizationId, knowledgeBaseId: uuidv7() });
  const large = filled?.large ?? newBase();
  const inSmall = Math.min(mostInSmallBases, Math.max(smallBase, chunks / 2));
  const added = Array.from({ length: inSmall / smallBase - (filled?.small.length ?? 0) }, newBase);
  const { rows } = await admin.query<{ name: string; made: string }>(
    `select indexname as name, indexdef as made from pg_indexes where schemaname = 'rag' and indexname in ('chunk_words', 'indexed_term_likeness')`,
  );
  for (const { name } of rows) await admin.query(`drop index ${name}`);
  const ids = filled ? added : [large, ...added];
  await admin.query(
    `insert into indexed_base (knowledge_base_id, organization_id, project_id, language, languages)
     select id, $2, $2, 'simple', '{simple}' from unnest($1::uuid[]) id`,
    [ids.map(({ knowledgeBaseId }) => knowledgeBaseId), organizationId],
  );
  await admin.query(
    `insert into indexed_document (document_id, knowledge_base_id, organization_id, name)
     select id, id, $2, 'filled.txt' from unnest($1::uuid[]) id`,
    [ids.map(({ knowledgeBaseId }) => knowledgeBaseId), organizationId],
  );
  if (added.length)
    await addPassages(
      index,
      added.map(({ knowledgeBaseId }) => knowledgeBaseId),
      smallBase,
      organizationId,
    );
  const { rows: counted } = await admin.query<{ chunks: number }>(
    'select count(*)::int as chunks from chunk',
  );
  for (let left = chunks - counted[0]!.chunks; left > 0; left -= atOnce)
    await addPassages(index, [large.knowledgeBaseId], Math.min(left, atOnce), organizationId);
  await admin.query('truncate indexed_term');
  await admin.query(
    `insert into indexed_term (knowledge_base_id, term, organization_id, chunks)
     select knowledge_base_id, lexeme, $1, count(*) from chunk, unnest(tsv) group by 1, 2 order by 1, 2`,
    [organizationId],
  );
  await admin.query(
    `update indexed_base b set chunks = c.chunks from (select knowledge_base_id, count(*) as chunks from chunk group by 1) c
     where c.knowledge_base_id = b.knowledge_base_id`,
  );
  await admin.query(`set maintenance_work_mem = '1GB'`);
  for (const { made } of rows) await admin.query(made);
  await admin.query('vacuum analyze');
  await admin.query('checkpoint');
  return { small: [...(filled?.small ?? []), ...added], large };
}

async function addPassages(
  { admin }: BenchIndex,
  bases: readonly Uuid[],
  each: number,
  organizationId: Uuid,
): Promise<void> {
  await admin.query(
    `insert into chunk (id, document_id, ingest_id, knowledge_base_id, organization_id, text, tsv)
     select uuidv7(), base, base, base, $2, words, setweight(to_tsvector('simple', words), 'B')
     from unnest($1::uuid[]) base, generate_series(1, $3) number,
       lateral (select string_agg(translate(floor(exp(random() * ln($4::float)))::int::text, '0123456789', 'aeioubdgkr') || 'n', ' ') as words
         from generate_series(1, $5) where number > 0 and base is not null) passage
     order by base`,
    [bases, organizationId, each, vocabulary, wordsOfPassage],
  );
}
