import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { WebSocketServer, type WebSocket as ServerSocket } from 'ws';
import type { Branding } from '@agentstore/kernel/branding';

/** The fields of PROTOCOL §3 as the graph has them: an operation that the store would refuse is refused here. */
const schema = buildSchema(`
  type Query {
    conversation(id: ID!): Conversation
    run(id: ID!): Run
    visitorConversations(first: Int, after: String): ConversationConnection!
  }
  type Mutation {
    runStart(input: RunStartInput!): RunStartPayload!
    runCancel(input: RunCancelInput!): RunPayload!
    runRate(input: RunRateInput!): RunPayload!
  }
  type Subscription { runEvents(runId: ID!, after: Int = 0): RunEvent! }
  enum RunState { QUEUED RUNNING CANCELLING SUCCEEDED FAILED CANCELLED }
  enum Thumb { UP DOWN }
  input RunStartInput { instanceId: ID!, input: String!, conversationId: ID, idempotencyKey: String! }
  input RunCancelInput { runId: ID! }
  input RunRateInput { runId: ID!, rating: Thumb!, reason: String }
  type RunError { code: String!, message: String! }
  type RunStartPayload { run: Run, errors: [RunError!]! }
  type RunPayload { run: Run, errors: [RunError!]! }
  type Rating { rating: Thumb!, reason: String }
  type Run {
    id: ID!, state: RunState!, input: String!, output: String, error: RunError, rating: Rating, lastSeq: Int!
    conversation: Conversation!, events(after: Int = 0, first: Int = 500): [RunEvent!]!
  }
  type Conversation { id: ID!, title: String, createdAt: String!, runs(first: Int, after: String): RunConnection! }
  type PageInfo { hasNextPage: Boolean!, endCursor: String }
  type RunEdge { node: Run!, cursor: String! }
  type RunConnection { edges: [RunEdge!]!, pageInfo: PageInfo! }
  type ConversationEdge { node: Conversation!, cursor: String! }
  type ConversationConnection { edges: [ConversationEdge!]!, pageInfo: PageInfo! }
  type Citation { documentId: ID!, documentName: String!, chunkId: ID!, text: String!, score: Float!, page: Int }
  interface RunEvent { seq: Int! }
  type RunStarted implements RunEvent { seq: Int!, conversationId: ID! }
  type RunEventWithheld implements RunEvent { seq: Int! }
  type TextMessageStart implements RunEvent { seq: Int!, messageId: ID! }
  type TextMessageContent implements RunEvent { seq: Int!, messageId: ID!, delta: String! }
  type TextMessageEnd implements RunEvent { seq: Int!, messageId: ID! }
  type ToolCallStart implements RunEvent { seq: Int!, toolCallId: ID!, toolName: String! }
  type ToolCallArgs implements RunEvent { seq: Int!, toolCallId: ID!, delta: String! }
  type ToolCallResult implements RunEvent { seq: Int!, toolCallId: ID!, content: String!, isError: Boolean! }
  type CitationAdded implements RunEvent { seq: Int!, messageId: ID!, citation: Citation! }
  type RunEventsGap implements RunEvent { seq: Int!, fromSeq: Int!, toSeq: Int!, reason: String! }
  type RunFinished implements RunEvent { seq: Int!, output: String }
  type RunFailed implements RunEvent { seq: Int!, error: RunError! }
  type RunCancelled implements RunEvent { seq: Int! }
`);

export const branding: Branding = {
  brandName: 'Ada',
  logoUrl: null,
  avatarUrl: null,
  primaryColor: '#123456',
  accentColor: '#654321',
  fontFamily: 'system-ui',
  launcherText: '',
  position: 'BOTTOM_RIGHT',
  colorScheme: 'AUTO',
  greeting: null,
  suggestedPrompts: [],
  showToolSteps: true,
};

/** An event of a script; its place in the run makes its seq. */
export type Scripted = { readonly __typename: string } & Readonly<Record<string, unknown>>;

export interface DemoRun {
  readonly id: string;
  readonly key: string;
  readonly visitorId: string;
  readonly conversation: DemoConversation;
  readonly input: string;
  state: string;
  output: string | null;
  error: { code: string; message: string } | null;
  rating: { rating: string; reason: string | null } | null;
  readonly log: ({ readonly seq: number } & Scripted)[];
  /** Events up to this seq are not kept any more. */
  goneTo: number;
}

interface DemoConversation {
  readonly id: string;
  readonly visitorId: string;
  readonly title: string;
  readonly createdAt: string;
}

/** A refusal of session:init. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly retryAfter?: number;
  readonly branding?: Branding;
}

const states: Readonly<Record<string, string>> = {
  RunFinished: 'SUCCEEDED',
  RunFailed: 'FAILED',
  RunCancelled: 'CANCELLED',
};

export type DemoStore = Awaited<ReturnType<typeof openDemoStore>>;

/** A store that speaks the widget protocol over real sockets and does what a test scripted. */
export async function openDemoStore() {
  const runs: DemoRun[] = [];
  const conversations: DemoConversation[] = [];
  const waiting = new Set<() => void>();
  const sessions = new Map<string, string>(); // handle → visitor
  const tokens = new Map<string, string>(); // token → visitor
  const sockets = new Set<ServerSocket>();
  let counter = 0;

  const store = {
    origin: '',
    runs,
    conversations,
    sockets,
    tokens,
    inits: [] as Readonly<Record<string, string>>[],
    /** Bodies of runStart that came, also those of a run that was there. */
    starts: [] as string[],
    ended: [] as string[],
    refusals: [] as Refusal[],
    expiresIn: 600,
    /** What a run does when it is started; empty: the test plays it. */
    script: (_input: string): readonly Scripted[] => [],
    refuseStart: (_input: string): string | null => null,
    /** Called before an event goes out, with how many went out on this socket's subscription. */
    beforeEvent: (_run: DemoRun, _seq: number, _socket: ServerSocket): void => {},
    /** Called when a mutation or query came, before it is done, and before it is answered. */
    onField: async (_field: string, _phase: 'came' | 'done', _socket: ServerSocket): Promise<void> => {},
    /** Which errors a subscription to events ends with, once each. */
    streamErrors: [] as string[],
    /** Where a subscription begins, given `after`: a store that sends too much. */
    replayFrom: (after: number): number => after,
    isMute: false,
    visitorOf: (body: Readonly<Record<string, string>>): string =>
      body['identity']
        ? `person-${body['identity']}`
        : (sessions.get(body['handle'] ?? '') ?? `visitor-${++counter}`),
    play(run: DemoRun, events: readonly Scripted[]): void {
      for (const event of events) {
        if (states[run.state === event.__typename ? '' : event.__typename]) {
          run.state = states[event.__typename]!;
          if (event.__typename === 'RunFinished') run.output = (event['output'] as string | null) ?? null;
          if (event.__typename === 'RunFailed') run.error = event['error'] as DemoRun['error'];
        } else if (run.state === 'QUEUED') run.state = 'RUNNING';
        run.log.push({ ...event, seq: run.log.length + 1 });
      }
      for (const wake of waiting) wake();
    },
    closeAll(code: number): void {
      for (const socket of sockets) socket.close(code, 'test');
    },
    cutAll(): void {
      for (const socket of sockets) socket.terminate();
    },
    /** A run that somebody started elsewhere. */
    addRun(visitorId: string, input: string, events: readonly Scripted[], conversationId?: string): DemoRun {
      const run = makeRun(visitorId, {
        input,
        conversationId: conversationId ?? null,
        idempotencyKey: `elsewhere-${++counter}`,
      });
      store.play(run, events);
      return run;
    },
    close: async (): Promise<void> => {
      await served.dispose();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function makeRun(
    visitorId: string,
    input: { input: string; conversationId: string | null; idempotencyKey: string },
  ): DemoRun {
    const known = runs.find((run) => run.key === input.idempotencyKey);
    if (known) return known;
    let conversation = conversations.find(({ id }) => id === input.conversationId);
    if (!conversation) {
      conversation = {
        id: `conversation-${conversations.length + 1}`,
        visitorId,
        title: input.input,
        createdAt: new Date(Date.UTC(2026, 0, 1 + conversations.length)).toISOString(),
      };
      conversations.push(conversation);
    }
    const run: DemoRun = {
      id: `run-${runs.length + 1}`,
      key: input.idempotencyKey,
      visitorId,
      conversation,
      input: input.input,
      state: 'QUEUED',
      output: null,
      error: null,
      rating: null,
      log: [],
      goneTo: 0,
    };
    runs.push(run);
    store.play(run, store.script(run.input));
    return run;
  }

  const visible = (run: DemoRun, after: number) => {
    const from = Math.max(after, 0);
    const gone = Math.min(run.goneTo, run.log.length);
    const gap =
      gone > from
        ? [{ __typename: 'RunEventsGap', seq: gone, fromSeq: from + 1, toSeq: gone, reason: 'EXPIRED' }]
        : [];
    return [...gap, ...run.log.slice(Math.max(from, gone))];
  };

  const runOf = (run: DemoRun): object => ({
    ...run,
    lastSeq: run.log.length,
    conversation: () => conversationOf(run.conversation),
    events: ({ after, first }: { after: number; first: number }) => visible(run, after).slice(0, first),
  });

  const conversationOf = (conversation: DemoConversation): object => ({
    ...conversation,
    runs: ({ first = 20, after }: { first?: number; after?: string }) => {
      const all = runs.filter((run) => run.conversation === conversation).toReversed();
      const start = after ? all.findIndex(({ id }) => id === after) + 1 : 0;
      const page = all.slice(start, start + first);
      return {
        edges: page.map((run) => ({ node: runOf(run), cursor: run.id })),
        pageInfo: { hasNextPage: start + first < all.length, endCursor: page.at(-1)?.id ?? null },
      };
    },
  });

  interface Context {
    readonly connectionParams?: Readonly<Record<string, unknown>>;
    readonly extra: Extra;
  }
  const socketOf = ({ extra }: Context) => extra.socket as unknown as ServerSocket;
  const visitorOf = ({ connectionParams }: Context) =>
    tokens.get(String(connectionParams?.['authorization']).replace('Bearer ', ''))!;

  const field =
    <Args, Answer>(name: string, answer: (args: Args, visitorId: string) => Answer) =>
    async (args: Args, context: Context): Promise<Answer> => {
      await store.onField(name, 'came', socketOf(context));
      const done = answer(args, visitorOf(context));
      await store.onField(name, 'done', socketOf(context));
      return done;
    };

  async function* follow(run: DemoRun, after: number, socket: ServerSocket) {
    const error = store.streamErrors.shift();
    if (error) throw Object.assign(new Error(error), { extensions: { code: error } });
    let seq = store.replayFrom(after);
    for (;;) {
      for (const event of visible(run, seq)) {
        store.beforeEvent(run, event.seq, socket);
        if (socket.readyState !== socket.OPEN) return;
        yield { runEvents: event };
        ({ seq } = event);
      }
      if (['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(run.state) && seq >= run.log.length) return;
      if (seq < run.log.length) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      waiting.add(wake);
      socket.once('close', wake);
      await promise;
      waiting.delete(wake);
      socket.off('close', wake);
      if (socket.readyState !== socket.OPEN) return;
    }
  }

  const query = {
    conversation: field('conversation', ({ id }: { id: string }, visitorId) => {
      const found = conversations.find((one) => one.id === id && one.visitorId === visitorId);
      return found ? conversationOf(found) : null;
    }),
    run: field('run', ({ id }: { id: string }) => {
      const found = runs.find((run) => run.id === id);
      return found ? runOf(found) : null;
    }),
    visitorConversations: field('visitorConversations', (_args: object, visitorId) => ({
      edges: conversations
        .filter((one) => one.visitorId === visitorId)
        .toReversed()
        .map((one) => ({ node: conversationOf(one), cursor: one.id })),
      pageInfo: { hasNextPage: false, endCursor: null },
    })),
  };
  const mutation = {
    runStart: field(
      'runStart',
      (
        { input }: { input: { input: string; conversationId: string | null; idempotencyKey: string } },
        visitorId,
      ) => {
        store.starts.push(JSON.stringify(input));
        const code = store.refuseStart(input.input);
        if (code) return { run: null, errors: [{ code, message: code }] };
        return { run: runOf(makeRun(visitorId, input)), errors: [] };
      },
    ),
    runCancel: field('runCancel', ({ input }: { input: { runId: string } }) => {
      const run = runs.find(({ id }) => id === input.runId)!;
      if (!states[run.log.at(-1)?.__typename ?? '']) store.play(run, [{ __typename: 'RunCancelled' }]);
      return { run: null, errors: [] };
    }),
    runRate: field(
      'runRate',
      ({ input }: { input: { runId: string; rating: string; reason: string | null } }) => {
        const run = runs.find(({ id }) => id === input.runId)!;
        if (input.reason === 'refuse') return { run: null, errors: [{ code: 'INVALID_INPUT', message: '' }] };
        run.rating = { rating: input.rating, reason: input.reason };
        return { run: null, errors: [] };
      },
    ),
  };
  const subscription = {
    runEvents: ({ runId, after }: { runId: string; after: number }, context: Context) =>
      follow(
        runs.find(({ id }) => id === runId)!,
        after,
        socketOf(context),
      ),
  };

  async function serveInit(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
    if (request.url === '/v1/widget/session:end') {
      store.ended.push(body['handle']!);
      sessions.delete(body['handle']!);
      response.writeHead(204).end();
      return;
    }
    store.inits.push(body);
    const refusal = store.refusals.shift();
    if (refusal) {
      response
        .writeHead(refusal.status, { 'retry-after': String(refusal.retryAfter ?? '') })
        .end(JSON.stringify({ code: refusal.code, branding: refusal.branding }));
      return;
    }
    const visitorId = store.visitorOf(body);
    const handle = `handle-${++counter}`;
    const token = `token-${++counter}`;
    sessions.set(handle, visitorId);
    tokens.set(token, visitorId);
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        token,
        expiresIn: store.expiresIn,
        handle,
        visitorId,
        identified: !!body['identity'],
        instanceId: 'instance-1',
        graphqlUrl: `${store.origin.replace('http', 'ws')}/graphql`,
        branding,
        limits: { inputCharacters: 100, attachmentBytes: 65_536 },
      }),
    );
  }

  const server = http.createServer((request, response) => void serveInit(request, response));
  const webSockets = new WebSocketServer({ server, path: '/graphql' });
  webSockets.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const send = socket.send.bind(socket);
    socket.send = ((...args: Parameters<typeof send>) => {
      if (!store.isMute) send(...args);
    }) as typeof socket.send;
  });
  const served = useServer(
    {
      schema,
      roots: { query, mutation, subscription },
      context: (context) => context,
      onConnect: (context) => !!visitorOf(context as unknown as Context),
    },
    webSockets,
    0,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  store.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return store;
}
