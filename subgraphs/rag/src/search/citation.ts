import { toGlobalId } from '@agentstore/kernel/ids';
import type { Citation } from '../engines/engine.ts';

/** A citation as clients see it, in the graph and in what a tool answers: the document by its global id. */
export const citationOf = (citation: Citation): Citation => ({
  ...citation,
  documentId: toGlobalId('Document', citation.documentId),
});
