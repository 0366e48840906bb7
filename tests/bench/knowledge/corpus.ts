import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const folder = path.join(import.meta.dirname, 'corpus');
const types: Readonly<Record<string, string>> = {
  '.md': 'text/markdown',
  '.txt': 'text/plain',
  '.html': 'text/html',
  '.pdf': 'application/pdf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
};

export interface CorpusFile {
  readonly name: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** The documents of a small shop. */
export const readCorpus = (): CorpusFile[] =>
  fs
    .readdirSync(folder)
    .sort()
    .map((name) => ({
      name,
      contentType: types[path.extname(name)]!,
      bytes: new Uint8Array(fs.readFileSync(path.join(folder, name))),
    }));

const questionShape = z.object({
  question: z.string(),
  document: z.string(),
  words: z.string(),
  page: z.number().optional(),
});
/** What somebody asks, and what the cited passage has to say: `words` in a passage of `document`, which begins on `page` when it has pages. */
export type Question = z.infer<typeof questionShape>;

export const readQuestions = (): Question[] =>
  z
    .array(questionShape)
    .parse(JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'questions.json'), 'utf8')));

/** Whether a passage says it, however its lines are broken. */
export const says = (text: string, words: string): boolean =>
  text.replace(/\s+/g, ' ').toLowerCase().includes(words.replace(/\s+/g, ' ').toLowerCase());
