import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';

/** A GraphQL answer with errors; `codes` are the stable ones. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly codes: readonly string[];
  constructor(errors: readonly { message: string; extensions?: { code?: string } }[]) {
    super(errors.map((error) => `${error.extensions?.code ?? 'ERROR'}: ${error.message}`).join('; '));
    this.codes = errors.map((error) => error.extensions?.code ?? 'ERROR');
  }
}

/** One caller of the public graph: queries over HTTP, subscriptions over graphql-ws, as a storefront would. */
export interface GraphClient {
  /** Answers `data`; throws GraphError when there are errors. `deadlineMs` defaults to 15 s. */
  query<Data>(document: string, variables?: Record<string, unknown>): Promise<Data>;
  /** Follows a subscription until it completes or the loop is left; throws when it is still followed after `deadlineMs`. */
  subscribe<Data>(
    document: string,
    variables?: Record<string, unknown>,
    options?: { deadlineMs?: number },
  ): AsyncGenerator<Data>;
  close(): Promise<void>;
}

/** `origin`: of the page that it speaks for, as a browser would say it. */
export function graphClient(options: {
  url: string;
  token?: string;
  origin?: string;
  deadlineMs?: number;
}): GraphClient {
  const { origin } = options;
  const credentials = options.token ? { authorization: `Bearer ${options.token}` } : {};
  const headers = { ...credentials, ...(origin ? { origin } : {}) };
  const sockets = createClient({
    url: options.url.replace(/^http/, 'ws'),
    webSocketImpl: origin
      ? class extends WebSocket {
          constructor(url: string, protocols: string[]) {
            super(url, protocols, { origin });
          }
        }
      : WebSocket,
    connectionParams: credentials,
    retryAttempts: 0, // a caller that wants to go on opens the stream again with the last seq
    lazy: true,
  });
  return {
    async query<Data>(query: string, variables: Record<string, unknown> = {}) {
      const answer = await fetch(options.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(options.deadlineMs ?? 15_000),
      });
      const body = (await answer.json()) as {
        data?: Data;
        errors?: ConstructorParameters<typeof GraphError>[0];
      };
      if (body.errors?.length) throw new GraphError(body.errors);
      if (!body.data) throw new Error(`the graph answered ${answer.status} without data`);
      return body.data;
    },
    async *subscribe<Data>(
      query: string,
      variables: Record<string, unknown> = {},
      { deadlineMs }: { deadlineMs?: number } = {},
    ) {
      const results = sockets.iterate<Data>({ query, variables });
      const late = new Error(`the subscription did not end within ${deadlineMs} ms`);
      const timer =
        deadlineMs === undefined ? undefined : setTimeout(() => void results.throw?.(late), deadlineMs);
      try {
        for await (const result of results) {
          if (result.errors?.length)
            throw new GraphError(result.errors as ConstructorParameters<typeof GraphError>[0]);
          if (result.data) yield result.data;
        }
      } finally {
        clearTimeout(timer);
        await results.return?.();
      }
    },
    close: async () => {
      sockets.terminate();
      await sockets.dispose();
    },
  };
}
