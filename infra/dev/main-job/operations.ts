/** The GraphQL operations of the main job, as a storefront and a console would send them to the router. */

export const browse = /* GraphQL */ `
  query Browse($slug: String!) {
    offering(slug: $slug) {
      id
      slug
      name
      product {
        id
        name
      }
      currentVersion {
        id
        version
        sha256
      }
      plans {
        id
        code
        name
        includedCredits
        variant {
          id
          sku
          name
        }
      }
    }
  }
`;

export const workspace = /* GraphQL */ `
  mutation Workspace {
    workspaceAuto(input: {}) {
      organization {
        id
        slug
        name
        wallet {
          id
          available
          grants {
            kind
            granted
          }
        }
      }
      project {
        id
        slug
      }
      errors {
        field
        message
        code
      }
    }
  }
`;

export const checkoutCreate = /* GraphQL */ `
  mutation Checkout($input: CheckoutCreateInput!) {
    checkoutCreate(input: $input) {
      checkout {
        id
        totalPrice {
          gross {
            amount
            currency
          }
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

export const checkoutMetadata = /* GraphQL */ `
  mutation CheckoutFor($id: ID!, $input: [MetadataInput!]!) {
    updateMetadata(id: $id, input: $input) {
      errors {
        field
        message
        code
      }
    }
  }
`;

export const checkoutComplete = /* GraphQL */ `
  mutation Complete($id: ID!) {
    checkoutComplete(id: $id) {
      order {
        id
        number
      }
      errors {
        field
        message
        code
      }
    }
  }
`;

export const orderOutcome = /* GraphQL */ `
  query Outcome($id: ID!) {
    order(id: $id) {
      id
      number
      chargeStatus
      instances {
        id
        name
        state
      }
      topUps {
        id
        amount
        balanceAfter
      }
    }
  }
`;

export const instanceChanged = /* GraphQL */ `
  subscription Follow($id: ID!) {
    instanceChanged(instanceId: $id) {
      id
      state
      desiredGeneration
      observedGeneration
      endpoint {
        path
      }
      timeline {
        at
        kind
        generation
        message
        commit
        durationMs
      }
    }
  }
`;

export const runStart = /* GraphQL */ `
  mutation Run($input: RunStartInput!) {
    runStart(input: $input) {
      run {
        id
        state
      }
      errors {
        field
        message
        code
      }
    }
  }
`;

/** Credits held for runs, newest first. */
export const reservations = /* GraphQL */ `
  query Reservations($organizationId: ID!) {
    wallet(organizationId: $organizationId) {
      reservations {
        amount
        state
        run {
          id
        }
      }
    }
  }
`;

/** Whether the demo's instance can be run. */
export const demoState = /* GraphQL */ `
  query DemoState($instanceId: ID!, $organizationId: ID!) {
    instance(id: $instanceId) {
      state
    }
    wallet(organizationId: $organizationId) {
      available
      state
    }
  }
`;

export const runEvents = /* GraphQL */ `
  subscription Events($runId: ID!, $after: Int!) {
    runEvents(runId: $runId, after: $after) {
      __typename
      seq
      ... on TextMessageContent {
        delta
      }
      ... on RunFinished {
        output
        charge
      }
      ... on RunFailed {
        error {
          code
          message
          retryable
        }
      }
    }
  }
`;

export const settlement = /* GraphQL */ `
  query Settlement($runId: ID!, $organizationId: ID!) {
    run(id: $runId) {
      id
      state
      charge
      instance {
        version {
          version
          sha256
        }
      }
      usage {
        status
        models {
          model
          inputTokens
          outputTokens
        }
      }
    }
    wallet(organizationId: $organizationId) {
      balance
      reserved
      available
      reservations {
        amount
        state
        run {
          id
        }
      }
      ledgerEntries(first: 20, kind: [SETTLEMENT]) {
        edges {
          node {
            id
            seq
            amount
            balanceAfter
            run {
              id
            }
            transfers {
              debitAccount
              creditAccount
              amount
              code
            }
            usage {
              dimension
              quantity
              unitPrice
              amount
            }
          }
        }
      }
    }
  }
`;
