import type { Citation } from '@agentstore/kernel/citation';
import { clean } from './json.ts';
import type { MappedEvent } from './mapped-event.ts';

/**
 * What the tool calls of one run found in documents, as events: each passage is told with the message that is written from it, which is the first one to
 * begin after its call was answered. A run that writes no more messages tells none. Pure.
 */
export interface Citations {
  /** Keeps what a call found until a message begins; a call's second answer is none. */
  hold(toolCallId: string, found: readonly Citation[]): void;
  /** The events that follow an event of the run: those of a message that begins with it. */
  after(event: MappedEvent): MappedEvent[];
}

/** `most`: of the run together; what comes after them is not told. */
export function createCitations(most: number): Citations {
  const answered = new Set<string>();
  const held = new Map<string, Citation>();
  let left = most;
  return {
    hold(toolCallId, found) {
      if (answered.has(toolCallId)) return;
      answered.add(toolCallId);
      for (const citation of found) {
        if (left === 0) return;
        if (held.has(citation.chunkId)) continue;
        held.set(citation.chunkId, citation);
        left -= 1;
      }
    },
    after({ kind, payload: { messageId } }) {
      if (kind !== 'TextMessageStart') return [];
      const told = [...held.values()];
      held.clear();
      return told.map((citation) => ({
        kind: 'CitationAdded',
        payload: {
          messageId,
          citation: {
            ...citation,
            documentName: clean(citation.documentName),
            text: clean(citation.text),
          },
        },
      }));
    },
  };
}
