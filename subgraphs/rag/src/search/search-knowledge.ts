import { callerScope, type Scope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { documentsByIds } from '../documents/documents.store.ts';
import type { Citation } from '../engines/engine.ts';
import {
  engineBaseOf,
  noKnowledgeBase,
  type KnowledgeBase,
  type KnowledgeBaseRefusal,
} from '../knowledge-bases/knowledge-base.ts';
import { knowledgeBasesByIds } from '../knowledge-bases/knowledge-bases.store.ts';

/** What is asked, in words, and for how many passages at most; only of these documents, when any are said. */
interface Question {
  readonly query: string;
  readonly limit: number;
  readonly documents?: readonly Uuid[] | undefined;
}

/** The bounds of every search. */
export const searchBounds = { queryCharacters: 1_000, citations: 50, knowledgeBases: 10 };

/** Searches in one base for somebody who may read there; only in the named documents, when any are named. */
export async function searchKnowledgeBase(
  room: Room,
  caller: Caller,
  input: Question & { readonly knowledgeBaseId: Uuid | undefined },
): Promise<Outcome<Citation[], KnowledgeBaseRefusal>> {
  const query = input.query.trim();
  if (!query || query.length > searchBounds.queryCharacters)
    return refused({
      code: 'INVALID_INPUT',
      message: `The query must have 1 to ${searchBounds.queryCharacters} characters.`,
      field: 'query',
    });
  if (input.limit < 1 || input.limit > searchBounds.citations)
    return refused({
      code: 'INVALID_INPUT',
      message: `limit must be between 1 and ${searchBounds.citations}.`,
      field: 'limit',
    });
  const { knowledgeBaseId } = input;
  const scope = callerScope(caller, 'knowledge:read');
  const [base] = knowledgeBaseId
    ? await room.db.transaction(scope, (tx) => knowledgeBasesByIds(tx, [knowledgeBaseId]))
    : [];
  if (!base) return refused(noKnowledgeBase);
  const { limit, documents } = input;
  return done(await cite(room, scope, base, { query, limit, documents }));
}

/**
 * Searches in bases of a project for a service that says whose project it is. Bases that are not there, or are somebody else's, are left out before the
 * engine is asked. Scores are comparable within a base only, so the bases' best passages come first, then their second best, and so on.
 */
export async function searchForProject(
  room: Room,
  scope: Scope,
  input: Question & {
    readonly organizationId: Uuid;
    readonly projectId: Uuid;
    readonly knowledgeBaseIds: readonly Uuid[];
  },
): Promise<Citation[]> {
  const { organizationId, projectId } = input;
  const bases = (
    await room.db.transaction(scope, (tx) => knowledgeBasesByIds(tx, input.knowledgeBaseIds))
  ).filter((base) => base.organizationId === organizationId && base.projectId === projectId);
  const found = await Promise.all(bases.map((base) => cite(room, scope, base, input)));
  return found
    .flatMap((citations) => citations.map((citation, rank) => ({ citation, rank })))
    .sort((a, b) => a.rank - b.rank || b.citation.score - a.citation.score)
    .slice(0, input.limit)
    .map(({ citation }) => citation);
}

/** What the engine answers, without documents that are gone meanwhile. */
async function cite(
  { db, engine }: Room,
  scope: Scope,
  base: KnowledgeBase,
  { query, limit, documents }: Question,
): Promise<Citation[]> {
  if (base.state !== 'READY' || documents?.length === 0) return [];
  const citations = await engine.search({
    ...engineBaseOf(base),
    query,
    limit,
    ...(documents ? { documents } : {}),
  });
  const ids = [...new Set(citations.map(({ documentId }) => documentId))];
  const there = new Set((await db.transaction(scope, (tx) => documentsByIds(tx, ids))).map(({ id }) => id));
  return citations.filter(({ documentId }) => there.has(documentId));
}
