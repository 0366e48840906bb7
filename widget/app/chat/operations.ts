// Operations are strings: a parser of GraphQL would weigh more than all of this.

const details = `... on ToolCallStart { __typename toolCallId toolName }
... on ToolCallArgs { __typename toolCallId delta }
... on ToolCallResult { __typename toolCallId content isError }
... on CitationAdded { __typename citation { documentId documentName chunkId text page } }`;

const run = `id state input output error { code } rating { rating reason } lastSeq`;

export const startRun = `mutation ($input: RunStartInput!) {
  runStart(input: $input) { run { id conversation { id } } errors { code } }
}`;

export const cancelRun = `mutation ($input: RunCancelInput!) { runCancel(input: $input) { errors { code } } }`;

export const rateRun = `mutation ($input: RunRateInput!) { runRate(input: $input) { errors { code } } }`;

export const runEvents = `subscription ($runId: ID!, $after: Int) {
  runEvents(runId: $runId, after: $after) {
    __typename
    seq
    ${details}
    ... on TextMessageContent { messageId delta }
    ... on RunFinished { output }
    ... on RunFailed { error { code } }
  }
}`;

export const readRun = `query ($id: ID!) { run(id: $id) { ${run} } }`;

/** Without the text of events, which is most of them: the output has it. */
export const readConversation = `query ($id: ID!, $first: Int, $after: String) {
  conversation(id: $id) {
    runs(first: $first, after: $after) {
      edges { node { ${run} events { ${details} } } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const readConversations = `query ($first: Int) {
  visitorConversations(first: $first) { edges { node { id title createdAt } } }
}`;
