import { load } from 'cheerio';
import { beforeAll, describe, expect, test } from 'vitest';
import { uuidv7 } from '@agentstore/kernel/ids';
import { silentLog } from '@agentstore/kernel/log';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { docxFiles, pdfFiles } from '../../../../../tests/bench/knowledge/corpus-files.ts';
import {
  readCorpus,
  readQuestions,
  says,
  type CorpusFile,
} from '../../../../../tests/bench/knowledge/corpus.ts';
import { createEmbeddedEngine } from './embedded-engine.ts';
import type { Citation, KnowledgeEngine } from '../engine.ts';

/** What a page says by its source, not by the reader that is tested. */
function sourceOf({ name, bytes }: CorpusFile, page: number | null): string {
  const made = pdfFiles[name]?.[(page ?? 0) - 1] ?? docxFiles[name];
  if (made !== undefined) return made;
  const text = new TextDecoder().decode(bytes);
  return name.endsWith('.html') ? load(text).text() : text;
}

const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

describe('every kind of file of the corpus', () => {
  const corpus = readCorpus();
  const questions = readQuestions();
  const base = { organizationId: uuidv7(), projectId: uuidv7(), knowledgeBaseId: uuidv7() };
  let engine: KnowledgeEngine;
  beforeAll(async () => {
    const { database } = await openTestDatabase('rag');
    engine = createEmbeddedEngine({
      database,
      embedder: undefined,
      limits: { fileBytes: 1 << 20, pages: 100, textChars: 1 << 20, unpackedBytes: 1 << 24 },
      extraction: { deadlineMs: 100_000, memoryMb: 256 },
      search: { candidates: 256, wholeBaseVectors: 0, embedMs: 60_000 },
      log: silentLog,
    });
    await engine.createBase({ ...base, name: 'Shop', language: null });
    for (const { name, contentType, bytes } of corpus)
      await engine.ingest({
        ...base,
        documentId: uuidv7(),
        name,
        contentType,
        bytes: async () => new Blob([new Uint8Array(bytes)]).stream(),
        signal: new AbortController().signal,
        onProgress: () => undefined,
      });
  });

  test.each(corpus.map((file) => [file.name, file] as const))(
    '%s: the page that a citation names has the cited words',
    async (name, file) => {
      const own = questions.filter(({ document }) => document === name);
      const answers: Citation[][] = [];
      for (const { words } of own) answers.push(await engine.search({ ...base, query: words, limit: 50 }));
      const cited = answers.map((citations, at) =>
        citations.find(({ documentName, text }) => documentName === name && says(text, own[at]!.words)),
      );
      expect(cited.map((citation) => citation?.page)).toEqual(own.map(({ page }) => page ?? null));
      const ofFile = answers.flat().filter(({ documentName }) => documentName === name);
      for (const { page, text } of ofFile) {
        const source = new Set(wordsOf(sourceOf(file, page)));
        expect(wordsOf(text).filter((word) => !source.has(word))).toEqual([]);
      }
    },
  );
});
