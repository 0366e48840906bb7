/** The GraphQL operations of the widget job: the site owner's, and a visitor's (widget/PROTOCOL.md §3). */
export const instanceBrand = /* GraphQL */ `
  mutation ($input: InstanceBrandInput!) {
    instanceBrand(input: $input) {
      instance {
        id
        endpoint {
          widgetKey
        }
        branding {
          allowedDomains
          contrastRepairs {
            what
            asked
            used
          }
        }
      }
      errors {
        code
        message
        field
      }
    }
  }
`;

export const runStart = /* GraphQL */ `
  mutation ($input: RunStartInput!) {
    runStart(input: $input) {
      run {
        id
      }
      errors {
        code
        message
        field
      }
    }
  }
`;

export const runEvents = /* GraphQL */ `
  subscription ($runId: ID!) {
    runEvents(runId: $runId) {
      __typename
      seq
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
