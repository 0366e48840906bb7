import { componentError, runErrors, type RunError } from './classify-error.ts';
import type { Frame } from './frames.ts';
import { clean, isObject, jsonBytes, listIn, objectIn, textIn, type JsonObject } from './json.ts';
import type { MappedEvent } from './mapped-event.ts';
import type { ToolCalls } from './tool-calls.ts';
import { createUsageTally, type RunUsage } from './usage.ts';

/** `lfx serve`, or the Langflow backend: they order and end their streams differently. */
export type Flavour = 'lfx' | 'langflow';

/** How the flow ended. */
export type Verdict =
  { readonly ok: true; readonly output: string | null } | { readonly ok: false; readonly error: RunError };

/** Turns the runtime's frames into run events. Pure: the same frames give the same events. */
export interface FrameMapper {
  /** The events of one frame. After a verdict it gives nothing more. */
  map(frame: Frame): MappedEvent[];
  /** Known after the frame that ended the flow; a stream that ends before is TRUNCATED. */
  readonly verdict: Verdict | undefined;
  /** Ends what is open: messages, tool calls, then steps. Called once, before the terminal event. */
  close(): MappedEvent[];
  /** What was used so far. `whole`: the flow came to its own end. */
  usage(whole: boolean, durationMs: number): RunUsage;
}

interface OpenMessage {
  text: string;
  state: 'open' | 'closed';
}

export function createFrameMapper(options: {
  flavour: Flavour;
  /** Display name of a component by its id in the flow. */
  stepName: (componentId: string) => string;
  /** The run's tool calls, of which the flow's frames are one witness. */
  tools: ToolCalls;
  /** Longest text of all messages together, and longest output, in bytes as JSON. */
  maxOutput: number;
}): FrameMapper {
  const { flavour, stepName, tools, maxOutput } = options;
  const messages = new Map<string, OpenMessage>();
  const steps = new Map<string, 'started' | 'finished'>();
  const tally = createUsageTally();
  const streamed = new Set<string>();
  let bytes = 0;
  let answer: string | null = null;
  let delivered: string | null | undefined;
  let failed: RunError | undefined;
  let verdict: Verdict | undefined;

  const fail = (error: RunError): void => {
    verdict ??= { ok: false, error };
  };

  function* map(frame: Frame): Generator<MappedEvent> {
    const { data } = frame;
    switch (frame.event) {
      case 'build_start':
        return yield* startStep(textIn(data, 'id'));
      case 'vertices_sorted':
        for (const id of listIn(data, 'ids')) yield* startStep(id);
        return;
      case 'end_vertex':
        return yield* endStep(data);
      case 'token':
        return yield* token(data);
      case 'add_message':
        return yield* message(data);
      case 'remove_message': {
        const id = textIn(data, 'id');
        if (id !== undefined) yield* closeMessage(id);
        return;
      }
      case 'output':
        if (textIn(data, 'status') === 'completed') delivered = textIn(data, 'content') ?? delivered ?? null;
        return;
      case 'error':
        return fail(errorOf(data));
      case 'cancelled':
        return fail(runErrors.stopped);
      case 'end':
        return end();
    }
  }

  function end(): void {
    if (failed) return fail(failed);
    // The Langflow backend ends a failed run like a good one; only the output tells them apart.
    if (flavour === 'langflow' && delivered === undefined) return fail(runErrors.noAnswer);
    const output = clean(delivered ?? answer ?? '');
    if (jsonBytes(output) > maxOutput) return fail(runErrors.tooLarge);
    verdict ??= { ok: true, output: (delivered ?? answer) === null ? null : output };
  }

  function* startStep(id: unknown): Generator<MappedEvent> {
    if (typeof id !== 'string' || steps.has(id)) return;
    steps.set(id, 'started');
    yield { kind: 'StepStarted', payload: { step: stepName(id) } };
  }

  function* endStep(data: JsonObject): Generator<MappedEvent> {
    const built = objectIn(data, 'build_data');
    const id = textIn(built, 'id');
    if (id === undefined || steps.get(id) === 'finished') return;
    yield* startStep(id);
    steps.set(id, 'finished');
    yield { kind: 'StepFinished', payload: { step: stepName(id) } };
    const usage = objectIn(built, 'data')['token_usage'];
    if (isObject(usage)) tally.ofComponent(id, usage, stepName(id));
    if (built['valid'] === false) failed ??= componentError(textIn(built, 'params') ?? '', stepName(id));
    else for (const next of listIn(built, 'next_vertices_ids')) yield* startStep(next);
  }

  function* token(data: JsonObject): Generator<MappedEvent> {
    const id = textIn(data, 'id');
    const chunk = textIn(data, 'chunk');
    if (id === undefined || !chunk || messages.get(id)?.state === 'closed') return;
    streamed.add(id);
    yield* write(id, chunk);
  }

  /** A message, told again each time it changes. */
  function* message(data: JsonObject): Generator<MappedEvent> {
    const id = textIn(data, 'id');
    if (id === undefined || textIn(data, 'sender')?.toLowerCase() === 'user') return;
    if (textIn(data, 'category') === 'error' || data['error'] === true) return fail(errorOf(data));
    const properties = objectIn(data, 'properties');
    const text = textIn(data, 'text') ?? '';
    const before = messages.get(id);
    if (before?.state !== 'closed' && text.startsWith(before?.text ?? ''))
      yield* write(id, text.slice(before?.text.length ?? 0));
    yield* toolCalls(id, listIn(data, 'content_blocks'));
    if (isObject(properties['usage']))
      tally.ofMessage(id, properties['usage'], objectIn(properties, 'source'));
    if (textIn(properties, 'state') === 'partial') return;
    answer = text;
    yield* closeMessage(id);
  }

  function* write(id: string, delta: string): Generator<MappedEvent> {
    if (delta === '') return;
    bytes += jsonBytes(delta);
    if (bytes > maxOutput) return fail(runErrors.tooLarge);
    let open = messages.get(id);
    if (!open) {
      open = { text: '', state: 'open' };
      messages.set(id, open);
      yield { kind: 'TextMessageStart', payload: { messageId: clean(id), role: 'assistant' } };
    }
    open.text += delta;
    yield { kind: 'TextMessageContent', payload: { messageId: clean(id), delta: clean(delta) } };
  }

  function* closeMessage(id: string): Generator<MappedEvent> {
    const open = messages.get(id);
    if (open?.state !== 'open') return;
    open.state = 'closed';
    yield { kind: 'TextMessageEnd', payload: { messageId: clean(id) } };
  }

  /** Tool calls inside a message's content, known by their position there; called once, answered once. */
  function* toolCalls(path: string, blocks: readonly unknown[]): Generator<MappedEvent> {
    for (const [index, block] of blocks.entries()) {
      const at = `${path}:${index}`;
      if (textIn(block, 'type') === 'tool_use') yield* toolCall(at, block as JsonObject);
      yield* toolCalls(at, listIn(block, 'contents'));
    }
  }

  function* toolCall(id: string, block: JsonObject): Generator<MappedEvent> {
    const isError = block['error'] !== undefined && block['error'] !== null;
    const isAnswered = isError || (block['output'] !== undefined && block['output'] !== null);
    const input = JSON.stringify(block['tool_input'] ?? {});
    // A model's announcement has no arguments yet: they come when the tool begins.
    if (input === '{}' && !isAnswered) return;
    yield* tools.begin('flow', { id, toolName: textIn(block, 'name') ?? 'tool', arguments: input });
    if (!isAnswered) return;
    const { output } = block;
    const content = isError
      ? 'The tool failed.'
      : typeof output === 'string'
        ? output
        : JSON.stringify(output);
    yield* tools.end('flow', id, { content, isError });
  }

  return {
    map(frame) {
      return verdict ? [] : [...map(frame)];
    },
    get verdict() {
      return verdict;
    },
    close() {
      const events = [...messages.keys()].flatMap((id) => [...closeMessage(id)]);
      events.push(...tools.close());
      for (const [id, state] of steps) {
        if (state === 'finished') continue;
        steps.set(id, 'finished');
        events.push({ kind: 'StepFinished', payload: { step: stepName(id) } });
      }
      return events;
    },
    usage(whole, durationMs) {
      const complete = whole && [...streamed].every((id) => tally.hasMessage(id));
      const status = tally.reports === 0 ? 'MISSING' : complete ? 'REPORTED' : 'PARTIAL';
      return { status, models: tally.models(), toolCalls: tools.count, durationMs };
    },
  };
}

/** An `error` frame is a whole message with tracebacks inside, or only `{ error }`. Tracebacks are never looked at. */
function errorOf(data: JsonObject): RunError {
  const source = objectIn(objectIn(data, 'properties'), 'source');
  const error = textIn(data, 'error') ?? '';
  const text = [error, textIn(data, 'text'), ...reasonsIn(listIn(data, 'content_blocks'))].join(' ');
  const named = /Error building Component ([^:\n]{1,60}):/.exec(error)?.[1];
  return componentError(text.slice(0, 20_000), textIn(source, 'display_name') ?? named);
}

const reasonsIn = (blocks: readonly unknown[]): string[] =>
  blocks.flatMap((block) => [textIn(block, 'reason') ?? '', ...reasonsIn(listIn(block, 'contents'))]);
