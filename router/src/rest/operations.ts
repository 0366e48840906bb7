import { parse } from 'graphql';

/** The operations of the graph behind the REST routes. */
export const operations = {
  workspace: parse(
    `mutation { workspaceAuto(input: {}) { organization { id slug name } project { id slug name } errors { code message field } } }`,
  ),
  activate: parse(
    `mutation ($input: InstanceAutoActivateInput!) { instanceAutoActivate(input: $input) { instance { id name state endpoint { path } } errors { code message field } } }`,
  ),
  start: parse(
    `mutation ($input: RunStartInput!) { runStart(input: $input) { run { id state } required available missing errors { code message field } } }`,
  ),
  cancel: parse(
    `mutation ($input: RunCancelInput!) { runCancel(input: $input) { run { id state } errors { code message field } } }`,
  ),
  initUpload: parse(
    `mutation ($input: DocumentUploadInitInput!) { documentUploadInit(input: $input) { document { id state } upload { method url headers { name value } expiresAt } quota { what limit used } errors { code message field } } }`,
  ),
  ingest: parse(
    `mutation ($input: DocumentIngestInput!) { documentIngest(input: $input) { document { id name state attempt progress failure error } errors { code message field } } }`,
  ),
  find: parse(`query ($id: ID!) { run(id: $id) { id } }`),
  read: parse(
    `query ($id: ID!) { run(id: $id) { id state input output charge lastSeq error { code message retryable } usage { status toolCalls durationMs models { provider model inputTokens outputTokens totalTokens } } requestedAt startedAt finishedAt } }`,
  ),
  events:
    parse(`subscription ($runId: ID!, $after: Int!) { runEvents(runId: $runId, after: $after) { __typename runId seq at
    ... on RunStarted { conversationId } ... on StepStarted { step } ... on StepFinished { step }
    ... on TextMessageStart { messageId role } ... on TextMessageContent { messageId delta } ... on TextMessageEnd { messageId }
    ... on ToolCallStart { toolCallId toolName } ... on ToolCallArgs { toolCallId delta } ... on ToolCallEnd { toolCallId } ... on ToolCallResult { toolCallId content isError }
    ... on RunFinished { output charge usage { status durationMs models { model inputTokens outputTokens } } } ... on RunFailed { error { code message retryable } charge } ... on RunCancelled { charge }
    ... on RunEventsGap { fromSeq toSeq reason } } }`),
};

/** A mutation's payload: what was refused, in the grammar of the graph. */
export interface Refusals {
  readonly errors: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: string | null;
  }[];
}

/** What `start` answers. */
export interface Started extends Refusals {
  readonly run: { readonly id: string; readonly state: string } | null;
  readonly required: string | null;
  readonly available: string | null;
  readonly missing: string | null;
}

/** What `initUpload` answers. */
export interface UploadInit extends Refusals {
  readonly document: object | null;
  readonly upload: { readonly headers: readonly { readonly name: string; readonly value: string }[] } | null;
  readonly quota: object | null;
}

/** One event of a run. */
export interface RunEvent {
  readonly seq: number;
  readonly __typename: string;
}
