import type { Fetcher } from '@graphiql/toolkit';
import { Kind, parse, type ExecutionResult, type OperationDefinitionNode } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';

/** How subscriptions travel. */
export type Transport = 'graphql-ws' | 'SSE';

/** One operation as GraphiQL hands it over. */
export interface Asked {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

const path = '/graphql';

export async function ask(bearer: string | null, { query, operationName, variables }: Asked) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
    },
    body: JSON.stringify({ query, operationName, variables }),
  });
  return (await answer.json()) as ExecutionResult;
}

/**
 * Queries and mutations by POST, subscriptions over the chosen transport. The bearer is asked for each time, since it is renewed while the page stays
 * open. `onResult` sees all that comes back.
 */
export function createFetcher(options: {
  bearer: () => Promise<string | null>;
  transport: () => Transport;
  onResult: (asked: Asked, result: ExecutionResult, isEvent: boolean) => void;
}): Fetcher {
  const { bearer, onResult } = options;
  return async (given) => {
    const { operation, asked } = chosen(given);
    if (operation?.operation === 'subscription') return follow(asked);
    const result = await ask(await bearer(), asked);
    onResult(asked, result, false);
    return result;
  };

  async function* follow(asked: Asked): AsyncGenerator<ExecutionResult> {
    const token = await bearer();
    const { stream, close } = options.transport() === 'SSE' ? overSse(token, asked) : overWs(token, asked);
    try {
      for await (const result of stream) {
        onResult(asked, result, true);
        yield result;
      }
    } finally {
      close();
    }
  }
}

/**
 * The operation that is meant, read from the text itself: what GraphiQL knows of a document lags behind its editor for a moment, and a name from the tab
 * before would be refused. A text that does not parse goes to the router as it is, whose answer says where it is wrong.
 */
function chosen(given: Asked): { operation: OperationDefinitionNode | undefined; asked: Asked } {
  try {
    const operations = parse(given.query).definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    const named = operations.find(({ name }) => name?.value === given.operationName);
    if (named || operations.length !== 1) return { operation: named, asked: given };
    const [only] = operations;
    return { operation: only, asked: { ...given, operationName: only!.name?.value } };
  } catch {
    return { operation: undefined, asked: given };
  }
}

interface Stream {
  readonly stream: AsyncIterable<ExecutionResult>;
  readonly close: () => void;
}

const payloadOf = ({ query, operationName, variables }: Asked) => ({
  query,
  ...(operationName ? { operationName } : {}),
  ...(variables ? { variables } : {}),
});

/** A socket of its own for each stream: a subscriber's credential is that of its connection. */
function overWs(bearer: string | null, asked: Asked): Stream {
  const client = createWsClient({
    url: `${location.origin.replace(/^http/, 'ws')}${path}`,
    connectionParams: bearer ? { authorization: `Bearer ${bearer}` } : {},
    retryAttempts: 0,
  });
  return {
    stream: client.iterate(payloadOf(asked)) as AsyncIterable<ExecutionResult>,
    close: () => void client.dispose(),
  };
}

function overSse(bearer: string | null, asked: Asked): Stream {
  const client = createSseClient({
    url: `${location.origin}${path}`,
    headers: (bearer ? { authorization: `Bearer ${bearer}` } : {}) as Record<string, string>,
    retryAttempts: 0,
  });
  return {
    stream: client.iterate(payloadOf(asked)) as AsyncIterable<ExecutionResult>,
    close: () => client.dispose(),
  };
}
