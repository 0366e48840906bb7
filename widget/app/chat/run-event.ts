/** A passage as the graph has it. */
export interface CitedPassage {
  readonly documentId: string;
  readonly documentName: string;
  readonly chunkId: string;
  readonly text: string;
  readonly page: number | null;
}

/** What is told of a tool call or a citation; in a history without a place in the run. */
export type Detail =
  | { readonly __typename: 'ToolCallStart'; readonly toolCallId: string; readonly toolName: string }
  | { readonly __typename: 'ToolCallArgs'; readonly toolCallId: string; readonly delta: string }
  | {
      readonly __typename: 'ToolCallResult';
      readonly toolCallId: string;
      readonly content: string;
      readonly isError: boolean;
    }
  | { readonly __typename: 'CitationAdded'; readonly citation: CitedPassage };

/** Events of a run that change what is drawn (`docs/protocol-run-events.md`); the others count by their seq only. */
export type RunEvent = { readonly seq: number } & (
  | Detail
  | { readonly __typename: 'TextMessageContent'; readonly messageId: string; readonly delta: string }
  | { readonly __typename: 'RunFinished'; readonly output: string | null }
  | { readonly __typename: 'RunFailed'; readonly error: { readonly code: string } }
  | { readonly __typename: 'RunCancelled' | 'RunEventsGap' | 'RunStarted' }
);

export type RunState = 'QUEUED' | 'RUNNING' | 'CANCELLING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** A run as the graph has it. */
export interface Run {
  readonly id: string;
  readonly state: RunState;
  readonly input: string;
  readonly output: string | null;
  readonly error: { readonly code: string } | null;
  readonly rating: { readonly rating: 'UP' | 'DOWN'; readonly reason: string | null } | null;
  readonly lastSeq: number;
}

/** A run of a history. */
export interface PastRun extends Run {
  /** Those that are no Detail are empty objects. */
  readonly events: readonly (Detail | { readonly __typename?: undefined })[];
}
