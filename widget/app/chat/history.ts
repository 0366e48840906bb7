import type { Connection } from '../connection/connection.ts';
import type { PastConversation } from './chat-state.ts';
import { readConversation, readConversations } from './operations.ts';
import type { PastRun } from './run-event.ts';
import { pastTurn, type Turn } from './turn.ts';

const runsOfPage = 10;
const conversationsShown = 50;

interface Nodes<Node> {
  readonly edges: readonly { readonly node: Node }[];
}

/** A part of a conversation, newest first. */
export interface HistoryPage {
  readonly turns: readonly Turn[];
  /** Where older ones begin; null when there are none. */
  readonly olderThan: string | null;
}

/** The newest turns, or those before a cursor; null where the visitor has no such conversation. */
export async function readHistory(
  connection: Connection,
  place: { readonly id: string; readonly after: string | null },
  signal: AbortSignal,
): Promise<HistoryPage | null> {
  const { conversation } = await connection.request<{
    conversation: {
      runs: Nodes<PastRun> & { pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    } | null;
  }>(readConversation, () => ({ ...place, first: runsOfPage }), signal);
  if (!conversation) return null;
  const { edges, pageInfo } = conversation.runs;
  return {
    turns: edges.map(({ node }) => pastTurn(node)),
    olderThan: pageInfo.hasNextPage ? pageInfo.endCursor : null,
  };
}

/** The visitor's newest conversations. */
export async function readPastConversations(
  connection: Connection,
  signal: AbortSignal,
): Promise<readonly PastConversation[]> {
  const { visitorConversations } = await connection.request<{
    visitorConversations: Nodes<{ id: string; title: string | null; createdAt: string }>;
  }>(readConversations, () => ({ first: conversationsShown }), signal);
  return visitorConversations.edges.map(({ node: { id, title, createdAt } }) => ({
    id,
    title: title ?? '',
    startedAt: Date.parse(createdAt),
  }));
}
