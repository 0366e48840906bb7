import diagnostics from 'node:diagnostics_channel';
import { isObject } from '@agentstore/runner/langflow/json';
import { readFrames } from '@agentstore/runner/langflow/frames';
import { createRuntime } from '@agentstore/runner/langflow/runtime-client';
import { uuidv7 } from '@agentstore/kernel/ids';
import { demoArtifact } from '../../infra/dev/runtime/demo-flow.ts';
import type { Stack } from '../../infra/dev/stack/stack.ts';

/** The peer: the flow runtime without a store around it, given the same flow and asked by the runner's own client. */
export interface BareRuntime {
  /** Runs the flow to its end; milliseconds from the request to the first text. Throws when the flow fails. */
  run(input: string): Promise<{ firstTextMs: number }>;
  close(): Promise<void>;
}

const limits = { maxEventBytes: 262_144, maxStreamBytes: 10_485_760 };

export async function openBareRuntime(stack: Stack): Promise<BareRuntime> {
  const runtime = createRuntime({
    url: stack.doubles.runtime.url,
    apiKey: stack.secrets.runtimeKey,
    flavour: stack.doubles.runtime.flavour,
    connectMs: 2_000,
    firstEventMs: 30_000,
  });
  const flowId = uuidv7();
  const flow = JSON.parse(demoArtifact({ modelBaseUrl: stack.doubles.model.url }).toString()) as {
    data: Record<string, unknown>;
  };
  await runtime.ensureFlow(flowId, { name: 'bench', data: flow.data }, AbortSignal.timeout(30_000));
  return {
    async run(input) {
      const began = performance.now();
      let firstTextMs: number | undefined;
      const chunks = await runtime.open(
        { flowId, input, sessionId: crypto.randomUUID(), globals: { OPENAI_API_KEY: 'bench' } },
        AbortSignal.timeout(60_000),
      );
      for await (const { event, data } of readFrames(chunks, limits)) {
        if (event === 'error') throw new Error('the bare runtime failed');
        if (event === 'token' && data['chunk']) firstTextMs ??= performance.now() - began;
      }
      if (firstTextMs === undefined) throw new Error('the bare runtime gave no text');
      return { firstTextMs };
    },
    close: () => runtime.close(),
  };
}

/** When the text of a run left the runtime: `ends[i]` characters were there at `times[i]` (performance.now()). */
export interface Heard {
  readonly ends: number[];
  readonly times: number[];
}

/**
 * Listens in on the sockets between the runner and the runtime, through undici's diagnostics channels: the moment at which each piece of text
 * leaves the runtime, in the same process and by the same clock as the subscriber, without a proxy that would slow it. `of(mark)` is what was
 * heard of the run whose prompt contains that text.
 */
export function listenToRuntime(): { of(mark: string): Heard; stop(): void } {
  interface Seen {
    readonly request: { readonly path: string; readonly body: unknown };
    readonly chunk: Uint8Array;
  }
  const streams = new Map<object, { prompt: string; rest: string; decoder: TextDecoder } & Heard>();
  const hear = (message: unknown): void => {
    const { request, chunk } = message as Seen;
    if (request.path !== '/api/v2/workflows') return;
    const stream = streams.get(request) ?? {
      prompt: String(request.body),
      rest: '',
      decoder: new TextDecoder(),
      ends: [],
      times: [],
    };
    streams.set(request, stream);
    const now = performance.now();
    const lines = (stream.rest + stream.decoder.decode(chunk, { stream: true })).split('\n');
    stream.rest = lines.pop()!;
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const frame: unknown = JSON.parse(line.slice(5));
      const data = isObject(frame) && frame['event'] === 'token' ? frame['data'] : undefined;
      const text = isObject(data) ? data['chunk'] : undefined;
      if (typeof text !== 'string' || !text) continue;
      stream.ends.push((stream.ends.at(-1) ?? 0) + text.length);
      stream.times.push(now);
    }
  };
  diagnostics.subscribe('undici:request:bodyChunkReceived', hear);
  return {
    of(mark) {
      for (const stream of streams.values()) if (stream.prompt.includes(mark)) return stream;
      throw new Error('nothing was heard of a run');
    },
    stop: () => void diagnostics.unsubscribe('undici:request:bodyChunkReceived', hear),
  };
}
