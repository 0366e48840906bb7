/** What the tool job asks of the graph. */
export const connectors = /* GraphQL */ `
  query Connectors($organizationId: ID!, $projectId: ID!) {
    connectors(organizationId: $organizationId) {
      id
      slug
      name
      kind
      secretFields
    }
    project(id: $projectId) {
      connectorBindings {
        id
        state
        secretVersion
        connector {
          slug
        }
      }
    }
  }
`;

/** The secret is a variable: a document may be kept for the next time it is asked. */
export const connectorBind = /* GraphQL */ `
  mutation Bind($input: ConnectorBindInput!) {
    connectorBind(input: $input) {
      connectorBinding {
        id
        state
        secretVersion
        connector {
          slug
        }
      }
      errors {
        field
        message
        code
      }
    }
  }
`;

export const instanceAutoActivate = /* GraphQL */ `
  mutation Try($input: InstanceAutoActivateInput!) {
    instanceAutoActivate(input: $input) {
      instance {
        id
      }
      errors {
        field
        message
        code
      }
    }
  }
`;

export const instanceWithTools = /* GraphQL */ `
  subscription FollowTools($id: ID!) {
    instanceChanged(instanceId: $id) {
      id
      state
      desiredGeneration
      observedGeneration
    }
  }
`;

export const runStart = /* GraphQL */ `
  mutation RunWithTools($input: RunStartInput!) {
    runStart(input: $input) {
      run {
        id
      }
      errors {
        field
        message
        code
      }
    }
  }
`;

export const runEvents = /* GraphQL */ `
  subscription EventsWithTools($runId: ID!) {
    runEvents(runId: $runId) {
      __typename
      seq
      ... on ToolCallStart {
        toolCallId
        toolName
      }
      ... on ToolCallArgs {
        toolCallId
        delta
      }
      ... on ToolCallResult {
        toolCallId
        content
        isError
      }
      ... on TextMessageContent {
        delta
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

export const auditEntry = /* GraphQL */ `
  query Audit($id: ID!) {
    auditEntry(id: $id) {
      id
      toolId
      decision
      code
      reason
      outcome
      policyVersion
      policyCommit
      secretVersion
      destination
      upstreamStatus
      latencyMs
    }
  }
`;
