import { beforeAll, afterAll } from 'vitest';
import type { App } from '@agentstore/kernel/app';
import { anonymous, type Caller } from '@agentstore/kernel/caller';
import { silentLog } from '@agentstore/kernel/log';
import { testTrust } from '@agentstore/kernel/testing/callers';
import { createApp } from '../app.ts';
import type { TestLedger } from './ledger.ts';

/** What GraphQL answered; the test says which data it looks into. */
export interface Result<Data> {
  readonly data: Data | null;
  readonly errors?: readonly { message: string; extensions: { code: string } }[];
}

/** The billing app over a test ledger, asked as its clients ask it. The sweep does not run by itself. */
export interface BillingApp {
  readonly app: App;
  /** Internal REST; the answer's status and JSON. */
  rest(
    caller: Caller,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** GraphQL; the whole result. */
  graph<Data = unknown>(
    caller: Caller,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<Result<Data>>;
  /** Results of a subscription as they come; ends with the signal. */
  follow<Data = unknown>(caller: Caller, query: string, signal: AbortSignal): AsyncGenerator<Result<Data>>;
}

export function useBillingApp(ledger: TestLedger): BillingApp {
  let app: App;
  let bearer: (caller: Caller) => Promise<string>;
  beforeAll(async () => {
    const trust = await testTrust('billing');
    bearer = trust.bearer;
    app = createApp({
      db: ledger.database,
      authenticate: trust.authenticate,
      log: silentLog,
      sweepEveryMs: 3_600_000,
    });
    await app.start();
  });
  afterAll(() => app.stop());

  const send = async (
    caller: Caller,
    path: string,
    init: { method: string; body?: string; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response> => {
    const authorization = caller === anonymous ? '' : await bearer(caller);
    return app.fetch(
      new Request(`http://billing.test${path}`, {
        ...init,
        headers: {
          'content-type': 'application/json',
          ...(authorization ? { authorization } : {}),
          ...init.headers,
        },
      }),
    );
  };
  return {
    get app() {
      return app;
    },
    async rest(caller, method, path, body) {
      const answer = await send(caller, path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    },
    async graph(caller, query, variables) {
      const answer = await send(caller, '/graphql', {
        method: 'POST',
        body: JSON.stringify({ query, variables }),
      });
      return (await answer.json()) as never;
    },
    async *follow(caller, query, signal) {
      const answer = await send(caller, '/graphql', {
        method: 'POST',
        headers: { accept: 'text/event-stream' },
        body: JSON.stringify({ query }),
        signal,
      });
      let text = '';
      for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const data = /^data: ?(\{.*)$/m.exec(text.slice(0, end));
          text = text.slice(end + 2);
          if (data) yield JSON.parse(data[1]!);
        }
      }
    },
  };
}
