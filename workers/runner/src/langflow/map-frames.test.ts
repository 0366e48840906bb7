import { describe, expect, it } from 'vitest';
import { componentError } from './classify-error.ts';
import { readFrames, StreamTooLargeError, type Frame } from './frames.ts';
import { createFrameMapper, type Flavour } from './map-frames.ts';
import { createToolCalls } from './tool-calls.ts';

const auditId = '01978f6e-0000-7000-8000-000000000001';
const mapperOf = (flavour: Flavour = 'lfx', maxOutput = 1_000) =>
  createFrameMapper({
    flavour,
    stepName: (id) => id,
    tools: createToolCalls({ maxToolTextBytes: 1_024, maxStreamBytes: 10_000 }),
    maxOutput,
  });
const message = (id: string, text: string, more: object = {}): Frame => ({
  event: 'add_message',
  data: { id, sender: 'Machine', text, category: 'message', properties: { state: 'complete' }, ...more },
});
const token = (id: string, chunk: string): Frame => ({ event: 'token', data: { id, chunk } });
const end: Frame = { event: 'end', data: {} };

describe('messages', () => {
  it('that are told again each time they grow give their new text only', () => {
    const mapper = mapperOf();
    const partial = { properties: { state: 'partial' } };
    const events = [message('m', 'one', partial), message('m', 'one two', partial), message('m', 'one two.')];
    expect(events.flatMap((frame) => mapper.map(frame))).toEqual([
      { kind: 'TextMessageStart', payload: { messageId: 'm', role: 'assistant' } },
      { kind: 'TextMessageContent', payload: { messageId: 'm', delta: 'one' } },
      { kind: 'TextMessageContent', payload: { messageId: 'm', delta: ' two' } },
      { kind: 'TextMessageContent', payload: { messageId: 'm', delta: '.' } },
      { kind: 'TextMessageEnd', payload: { messageId: 'm' } },
    ]);
  });

  it('drop tokens that come after their end, and empty ones', () => {
    const mapper = mapperOf();
    mapper.map(token('m', 'a'));
    mapper.map(message('m', 'a'));
    expect([...mapper.map(token('m', 'late')), ...mapper.map(token('n', ''))]).toEqual([]);
  });

  it('whose final text differs from the streamed one: the output is the final one', () => {
    const mapper = mapperOf();
    for (const frame of [token('m', 'draft'), message('m', 'final'), end]) mapper.map(frame);
    expect(mapper.verdict).toEqual({ ok: true, output: 'final' });
  });

  it('carry nothing that a store or a parser behind us cannot hold', () => {
    const mapper = mapperOf();
    expect(mapper.map(token('m', 'a\0b\ud800'))[1]!.payload['delta']).toBe('ab\ufffd');
  });

  it('name the models that spoke by names that a store can hold, and many of them as one', () => {
    const mapper = mapperOf();
    for (let i = 0; i < 200; i++)
      mapper.map(
        message(`m${i}`, 'x', {
          properties: {
            usage: { input_tokens: 1, output_tokens: Number.MAX_SAFE_INTEGER },
            source: { id: `c${i}`, display_name: `Open\0AI ${i}`, source: '\ud800' },
          },
        }),
      );
    const { models } = mapper.usage(true, 0);
    expect(models[0]).toMatchObject({ provider: 'OpenAI 0', model: '\ufffd' });
    expect(models).toHaveLength(51);
    expect(models.at(-1)).toMatchObject({
      provider: 'others',
      inputTokens: 150,
      outputTokens: Number.MAX_SAFE_INTEGER,
    });
  });

  it('together may not be longer than a run may write', () => {
    const mapper = mapperOf('lfx', 10);
    for (let i = 0; i < 20; i++) mapper.map(token('m', 'xx'));
    expect(mapper.verdict).toMatchObject({ ok: false, error: { code: 'OUTPUT_TOO_LARGE' } });
  });
});

describe('tool calls', () => {
  const tool = (more: object): object => ({
    type: 'tool_use',
    name: 'search',
    tool_input: { q: 'x' },
    ...more,
  });
  const calls = (mapper: ReturnType<typeof mapperOf>, blocks: object[]) =>
    mapper
      .map(message('m', '', { content_blocks: blocks, properties: { state: 'partial' } }))
      .map(({ kind, payload }) => [
        kind,
        payload['toolCallId'],
        payload['content'] ?? payload['delta'] ?? payload['toolName'],
      ]);

  it('are told when they begin, not when a model announces them without their arguments', () => {
    const mapper = mapperOf();
    const announced = [tool({ tool_input: {}, output: null }), tool({ name: 'now', tool_input: {} })];
    expect(calls(mapper, announced)).toEqual([]);
    const began = [tool({}), tool({ name: 'now', tool_input: {}, output: 'noon' })];
    expect(calls(mapper, began)).toEqual([
      ['ToolCallStart', 'm:0', 'search'],
      ['ToolCallArgs', 'm:0', '{"q":"x"}'],
      ['ToolCallEnd', 'm:0', undefined],
      ['ToolCallStart', 'm:1', 'now'],
      ['ToolCallArgs', 'm:1', '{}'],
      ['ToolCallEnd', 'm:1', undefined],
      ['ToolCallResult', 'm:1', 'noon'],
    ]);
  });

  it('are told once per position, and answered once', () => {
    const mapper = mapperOf();
    const open = { title: 'Steps', contents: [tool({})] };
    const answered = {
      title: 'Steps',
      contents: [tool({ output: { hits: 2 } }), tool({ error: 'boom at /srv/x.py' })],
    };
    expect(calls(mapper, [open])).toEqual([
      ['ToolCallStart', 'm:0:0', 'search'],
      ['ToolCallArgs', 'm:0:0', '{"q":"x"}'],
      ['ToolCallEnd', 'm:0:0', undefined],
    ]);
    expect(calls(mapper, [answered])).toEqual([
      ['ToolCallResult', 'm:0:0', '{"hits":2}'],
      ['ToolCallStart', 'm:0:1', 'search'],
      ['ToolCallArgs', 'm:0:1', '{"q":"x"}'],
      ['ToolCallEnd', 'm:0:1', undefined],
      ['ToolCallResult', 'm:0:1', 'The tool failed.'],
    ]);
    expect(calls(mapper, [answered])).toEqual([]);
    expect(mapper.usage(true, 1).toolCalls).toBe(2);
  });
});

describe('usage', () => {
  const used = (input: number, output: number) => ({
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
  });
  const from = (id: string, usage: object | null) => ({
    properties: { state: 'complete', usage, source: { id, display_name: 'OpenAI', source: 'gpt' } },
  });

  it('is counted once per message, added up per model, and not again from its component', () => {
    const mapper = mapperOf();
    mapper.map(message('a', 'x', from('M-1', used(1, 2))));
    mapper.map(message('a', 'x', from('M-1', used(1, 2))));
    mapper.map(message('b', 'y', from('M-2', used(10, 20))));
    const vertex = (id: string, usage: object) => ({
      build_data: { id, valid: true, data: { token_usage: usage } },
    });
    mapper.map({ event: 'end_vertex', data: vertex('M-1', used(1, 2)) });
    mapper.map({ event: 'end_vertex', data: vertex('Hidden-1', used(100, 200)) });
    expect(mapper.usage(true, 5)).toEqual({
      status: 'REPORTED',
      models: [
        { provider: 'OpenAI', model: 'gpt', inputTokens: 11, outputTokens: 22, totalTokens: 33 },
        { provider: 'Hidden-1', model: null, inputTokens: 100, outputTokens: 200, totalTokens: 300 },
      ],
      toolCalls: 0,
      durationMs: 5,
    });
  });

  it('is PARTIAL when a streamed message said nothing of it or the run broke off, MISSING when none did', () => {
    const mapper = mapperOf();
    expect(mapper.usage(true, 0).status).toBe('MISSING');
    mapper.map(message('a', 'x', from('M-1', used(1, 2))));
    expect(mapper.usage(false, 0).status).toBe('PARTIAL');
    mapper.map(token('b', 'y'));
    expect(mapper.usage(true, 0).status).toBe('PARTIAL');
  });
});

describe('the end', () => {
  it('on the Langflow backend needs an output', () => {
    const mapper = mapperOf('langflow');
    for (const frame of [message('m', 'hi'), end]) mapper.map(frame);
    expect(mapper.verdict).toMatchObject({ ok: false, error: { code: 'RUNTIME_ERROR' } });
  });

  it('after an error does not count', () => {
    const mapper = mapperOf('langflow');
    const output: Frame = { event: 'output', data: { status: 'completed', content: 'hi' } };
    for (const frame of [{ event: 'error', data: { error: 'boom' } }, output, end]) mapper.map(frame);
    expect(mapper.verdict).toMatchObject({ ok: false });
    expect(mapper.map(message('m', 'late'))).toEqual([]);
  });
});

it.each([
  ['Rate limit reached for requests', true, 'limiting requests'],
  ['Error code: 401 - Incorrect API key provided: sk-123', false, 'credentials'],
  ['Request timed out.', true, 'took too long'],
  ['line 401, in invoke', false, 'failed.'],
  [
    `Tool 'orders__find_order' execution failed: TOOL_DENIED: sk-123 blocked. (audit ${auditId})`,
    false,
    `failed: the tool gateway refused its call with TOOL_DENIED (audit ${auditId}).`,
  ],
  [
    `SECRET_STORE_UNAVAILABLE: The secret store is sealed. (audit ${auditId})`,
    true,
    'SECRET_STORE_UNAVAILABLE',
  ],
  [
    "Error building Component MCP Tools: \n\nError in build_output: 'orders__find_order'",
    false,
    'failed: its agent may not call the tool orders__find_order (TOOL_DENIED).',
  ],
])('says of %j only what it is about', (text, retryable, says) => {
  const error = componentError(text, 'Model <script>');
  expect(error).toMatchObject({ code: 'RUNTIME_ERROR', retryable });
  expect(error.message).toContain(says);
  expect(error.message).not.toMatch(/sk-123|<script>/);
});

describe('frames', () => {
  const limits = { maxEventBytes: 100, maxStreamBytes: 1_000 };
  const read = async (...chunks: string[]): Promise<Frame[]> => {
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const chunk of chunks) yield new TextEncoder().encode(chunk);
    }
    const frames: Frame[] = [];
    for await (const frame of readFrames(bytes(), limits)) frames.push(frame);
    return frames;
  };

  it('are read with the id before or after, with comments and any line end, in any pieces', async () => {
    const wanted = [
      { event: 'a', data: {} },
      { event: 'b', data: { x: 'ü' } },
    ];
    const text =
      'id: 0\ndata: {"event":"a"}\n\n: keepalive\n\ndata: {"event":"b","data":{"x":"ü"}}\r\nid: 1\r\n\r\n';
    expect(await read(text)).toEqual(wanted);
    expect(await read(...Array.from(text))).toEqual(wanted);
    expect(await read('data: nonsense\n\ndata: [1]\n\n')).toEqual([]);
  });

  it('may not be larger than the limits, one or all together', async () => {
    const event = (size: number): string => `data: {"event":"${'x'.repeat(size)}"}\n\n`;
    await expect(read(event(200))).rejects.toThrow(StreamTooLargeError);
    await expect(read(...Array.from(event(200)))).rejects.toThrow(StreamTooLargeError);
    await expect(read(...Array<string>(30).fill(event(40)))).rejects.toThrow(StreamTooLargeError);
  });
});
