import { z } from 'zod';

/** The bounds of what one tool call may cite: passages, and the characters of one passage's text. */
export const citationBounds = { citations: 50, textCharacters: 4_000 };

/** A piece of a document that an answer rests on, as the knowledge subgraph, tools, run events and the graph tell it. */
export const citation = z.object({
  /** Global id. */
  documentId: z.string().min(1).max(200),
  documentName: z.string().max(1_000),
  /** The search engine's own. */
  chunkId: z.string().min(1).max(200),
  text: z.string().max(citationBounds.textCharacters),
  /** 0…1, comparable within one call's answer only. */
  score: z.number().min(0).max(1),
  /** From 1; null for formats without pages. */
  page: z.int().min(1).nullable(),
});
export type Citation = z.output<typeof citation>;
