/** What the knowledge job asks of the graph. */
export const knowledgeBases = /* GraphQL */ `
  query KnowledgeBases($projectId: ID!) {
    project(id: $projectId) {
      knowledgeBases(first: 100) {
        edges {
          node {
            id
            name
            state
            documents(first: 100) {
              edges {
                node {
                  id
                  name
                  sha256
                  state
                  progress
                  chunkCount
                  failure
                  error
                }
              }
            }
          }
        }
      }
    }
  }
`;

export const knowledgeBaseCreate = /* GraphQL */ `
  mutation Create($input: KnowledgeBaseCreateInput!) {
    knowledgeBaseCreate(input: $input) {
      knowledgeBase {
        id
        name
        state
      }
      quota {
        what
        limit
        used
      }
      errors {
        code
        field
        message
      }
    }
  }
`;

export const documentUploadInit = /* GraphQL */ `
  mutation Announce($input: DocumentUploadInitInput!) {
    documentUploadInit(input: $input) {
      document {
        id
        state
      }
      upload {
        method
        url
        headers {
          name
          value
        }
      }
      quota {
        what
        limit
        used
      }
      errors {
        code
        field
        message
      }
    }
  }
`;

export const documentIngest = /* GraphQL */ `
  mutation Ingest($input: DocumentIngestInput!) {
    documentIngest(input: $input) {
      document {
        id
        state
        attempt
      }
      errors {
        code
        field
        message
      }
    }
  }
`;

export const documentChanged = /* GraphQL */ `
  subscription Follow($knowledgeBaseId: ID!) {
    documentChanged(knowledgeBaseId: $knowledgeBaseId) {
      id
      name
      state
      attempt
      progress
      chunkCount
      failure
      error
    }
  }
`;

export const citedRun = /* GraphQL */ `
  subscription CitedRun($runId: ID!) {
    runEvents(runId: $runId) {
      __typename
      seq
      ... on TextMessageStart {
        messageId
      }
      ... on TextMessageContent {
        messageId
        delta
      }
      ... on ToolCallResult {
        content
        isError
      }
      ... on CitationAdded {
        messageId
        citation {
          documentId
          documentName
          chunkId
          text
          score
          page
        }
      }
      ... on RunFailed {
        error {
          code
          message
        }
      }
    }
  }
`;
