import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runErrors } from './classify-error.ts';
import { readFrames } from './frames.ts';
import { createFrameMapper, type Flavour, type Verdict } from './map-frames.ts';
import type { MappedEvent } from './mapped-event.ts';
import { createToolCalls } from './tool-calls.ts';
import type { RunUsage } from './usage.ts';

/** Byte streams recorded from lfx 1.13.0 and Langflow 1.13.0; they lie beside the repository. */
const folder = path.join(import.meta.dirname, '../../../../../shared/data/langflow');
const recorded = fs.existsSync(folder);

interface Expected {
  /** `+x` and `-x`: a step begins, ends; `(`, text, `)`: a message. */
  readonly events: readonly string[];
  /** The output, or what the error says. */
  readonly ends: { readonly output: string } | { readonly error: string; readonly retryable: boolean };
  readonly tokens?: readonly [input: number, output: number];
}

const words = Array.from({ length: 40 }, (_, index) => `w${index} `).join('');
const table = (token: string): string =>
  `| echo             | authorization_seen   |\n|:-----------------|:---------------------|\n| {'text': 'ping'} | ${token} |`;
const echo: Expected = {
  events: ['+ChatInput-1', '-ChatInput-1', '+ChatOutput-1', '(', 'hello v2', ')', '-ChatOutput-1'],
  ends: { output: 'hello v2' },
};
const failedModel = ['+ChatInput-1', '-ChatInput-1', '+OpenAIModel-1', '-OpenAIModel-1'];
const model = (): Expected => ({
  events: [
    '+ChatInput-1',
    '-ChatInput-1',
    '+OpenAIModel-1',
    '(',
    words,
    ')',
    '-OpenAIModel-1',
    '+ChatOutput-1',
    '-ChatOutput-1',
  ],
  ends: { output: words },
  tokens: [11, 40],
});
const failure = (step: string, because: string, retryable: boolean): Expected['ends'] => ({
  error: `${step} of the flow failed: ${because}.`,
  retryable,
});
const credentials = 'the model or tool it uses did not accept its credentials';
const upstream = 'the model or tool it uses failed or could not be reached';
/** Another protocol (AG-UI) or another surface (v1, legacy): nothing is understood, and so never taken for success. */
const foreign: Expected = { events: [], ends: { error: runErrors.truncated.message, retryable: true } };
const answerOnly = (output: string): Expected => ({ events: ['(', output, ')'], ends: { output } });

const api = 'lfx-1.13.0/api-v2-stream';
const apiAnswer =
  /^```json\n\{\n {2}"source": "http:\/\/127\.0\.0\.1:8124\/tool\/x",\n {2}"status_code": 200,/;

const expected: Readonly<Record<string, Expected>> = {
  'lfx-1.13.0/echo-stream-legacy': foreign,
  'lfx-1.13.0/echo-v2-stream-agui': foreign,
  'lfx-1.13.0/echo-v2-stream-agui-state': foreign,
  'lfx-1.13.0/echo-v2-stream-langflow': echo,
  'lfx-1.13.0/echo-v2-stream-langflow-nostate': answerOnly('hello v2'),
  'lfx-1.13.0/fail-v2-stream-agui': foreign,
  'lfx-1.13.0/fail-v2-stream-langflow': {
    events: ['+ChatInput-1', '-ChatInput-1', '+MCPTools-1', '-MCPTools-1', '+ChatOutput-1', '-ChatOutput-1'],
    ends: failure('The step "Chat Output"', 'a library it needs is not installed in the flow runtime', false),
  },
  'lfx-1.13.0/llm-missing-key-v2-stream': {
    events: failedModel,
    ends: failure('The step "OpenAI"', credentials, false),
  },
  'lfx-1.13.0/llm-upstream-500-v2-stream': {
    events: failedModel,
    ends: failure('The step "OpenAI"', upstream, true),
  },
  'lfx-1.13.0/llm-v2-stream-agui': foreign,
  'lfx-1.13.0/llm-v2-stream-langflow': model(),
  'lfx-1.13.0/llm-v2-stream-langflow-nostate': { ...answerOnly(words), tokens: [11, 40] },
  'lfx-1.13.0/ssrf-blocked-v2-stream-langflow': {
    events: failedModel,
    ends: failure('The step "OpenAI"', 'it tried to reach an address that is not allowed', false),
  },
  'lfx-1.13.0/tool-v2-stream-agui': foreign,
  'lfx-1.13.0/tool-v2-stream-header-var': answerOnly(table('Bearer {{RUNTOKEN}} ')),
  'lfx-1.13.0/tool-v2-stream-langflow': {
    events: [
      '+ChatInput-1',
      '-ChatInput-1',
      '+MCPTools-1',
      '-MCPTools-1',
      '+ChatOutput-1',
      '(',
      table('Bearer rt-A         '),
      ')',
      '-ChatOutput-1',
    ],
    ends: { output: table('Bearer rt-A         ') },
  },
  'langflow-1.13.0/echo-v1-run-stream': foreign,
  'langflow-1.13.0/echo-v2-job-events': echo,
  'langflow-1.13.0/echo-v2-stream-agui': foreign,
  'langflow-1.13.0/echo-v2-stream-langflow': echo,
  'langflow-1.13.0/fail-v1-run-stream': foreign,
  'langflow-1.13.0/fail-v2-stream-agui': foreign,
  // An error, a keepalive, and half a minute later an `end` as of a good run.
  'langflow-1.13.0/fail-v2-stream-langflow': {
    events: failedModel,
    ends: failure('The step "OpenAI"', upstream, true),
  },
  'langflow-1.13.0/fail-v2-stream-langflow-nostate': {
    events: [],
    ends: failure('A step', upstream, true),
  },
  'langflow-1.13.0/llm-v1-run-stream': foreign,
  'langflow-1.13.0/llm-v2-stream-agui': foreign,
  'langflow-1.13.0/llm-v2-stream-agui-globals-ignored': foreign,
  'langflow-1.13.0/llm-v2-stream-langflow': model(),
  // No `error` at all: an invalid vertex, no output, then `end`.
  'langflow-1.13.0/llm-v2-stream-langflow-globals-ignored': {
    events: failedModel,
    ends: failure('The step "OpenAIModel-1"', credentials, false),
  },
  'langflow-1.13.0/tool-v1-run-stream-true-header-var': foreign,
  'langflow-1.13.0/tool-v2-stream': answerOnly(table('Bearer {{RUNTOKEN}} ')),
};

const limits = { maxEventBytes: 262_144, maxStreamBytes: 10_485_760 };

/** The body's chunks as they were received, or cut differently. */
function chunksOf(raw: Buffer, size?: number): Buffer[] {
  const chunks: Buffer[] = [];
  let rest = raw.subarray(raw.indexOf('\r\n\r\n') + 4);
  for (;;) {
    const line = rest.indexOf('\r\n');
    const length = Number.parseInt(rest.subarray(0, line).toString(), 16);
    if (!length) break;
    chunks.push(rest.subarray(line + 2, line + 2 + length));
    rest = rest.subarray(line + 4 + length);
  }
  if (size === undefined) return chunks;
  const all = Buffer.concat(chunks);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.subarray(i * size, (i + 1) * size),
  );
}

async function mapped(flavour: Flavour, chunks: readonly Buffer[]) {
  const tools = createToolCalls({ ...limits, maxToolTextBytes: 1_024 });
  const mapper = createFrameMapper({ flavour, stepName: (id) => id, tools, maxOutput: 200_000 });
  const events: MappedEvent[] = [];
  async function* bytes(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  for await (const frame of readFrames(bytes(), limits)) events.push(...mapper.map(frame));
  const verdict: Verdict = mapper.verdict ?? { ok: false, error: runErrors.truncated };
  return { events: [...events, ...mapper.close()], verdict, usage: mapper.usage(verdict.ok, 1) };
}

/** Events in the short form of the table; adjacent text of a message as one. */
function short(events: readonly MappedEvent[]): string[] {
  const lines: string[] = [];
  let text: string | undefined;
  for (const { kind, payload } of events) {
    if (kind === 'TextMessageContent') {
      text = (text ?? '') + (payload['delta'] as string);
      continue;
    }
    if (text !== undefined) lines.push(text);
    text = undefined;
    if (kind === 'StepStarted') lines.push(`+${payload['step'] as string}`);
    else if (kind === 'StepFinished') lines.push(`-${payload['step'] as string}`);
    else lines.push({ TextMessageStart: '(', TextMessageEnd: ')' }[kind] ?? kind);
  }
  return lines;
}

const endOf = (verdict: Verdict): Expected['ends'] =>
  verdict.ok
    ? { output: verdict.output ?? '' }
    : { error: verdict.error.message, retryable: verdict.error.retryable };
const tokensOf = (usage: RunUsage): readonly [number, number] | undefined =>
  usage.status === 'REPORTED' ? [usage.models[0]!.inputTokens!, usage.models[0]!.outputTokens!] : undefined;

if (!recorded && process.env['CI'])
  throw new Error(`the recordings are not at ${folder}, and CI must have them`);
if (!recorded) process.stderr.write(`SKIPPED: no recordings of lfx and Langflow at ${folder}\n`);

describe.skipIf(!recorded)('recorded streams', () => {
  const streams = recorded
    ? ['lfx-1.13.0', 'langflow-1.13.0']
        .flatMap((version) =>
          fs
            .readdirSync(path.join(folder, version))
            .filter((file) => fs.readFileSync(path.join(folder, version, file)).includes('text/event-stream'))
            .map((file) => `${version}/${file.replace(/\.http$/, '')}`),
        )
        .sort()
    : [];

  it('are all in the table', () => expect(streams).toEqual([...Object.keys(expected), api].sort()));

  const read = (name: string): Buffer => fs.readFileSync(path.join(folder, `${name}.http`));
  const flavourOf = (name: string): Flavour => (name.startsWith('lfx') ? 'lfx' : 'langflow');

  it.each(Object.entries(expected))('%s', async (name, { events, ends, tokens }) => {
    const result = await mapped(flavourOf(name), chunksOf(read(name)));
    expect(short(result.events)).toEqual(events);
    expect(endOf(result.verdict)).toEqual(ends);
    expect(tokensOf(result.usage)).toEqual(tokens);
  });

  it('lfx-1.13.0/api-v2-stream', async () => {
    const { events, verdict } = await mapped('lfx', chunksOf(read(api)));
    expect(short(events)).toEqual(['(', expect.stringMatching(apiAnswer), ')']);
    expect(verdict).toEqual({ ok: true, output: short(events)[1] });
  });

  it.each([1, 7, 1_000, 1_000_000])('give the same events in pieces of %i bytes', async (size) => {
    const name = 'langflow-1.13.0/llm-v2-stream-langflow';
    expect(await mapped('langflow', chunksOf(read(name), size))).toEqual(
      await mapped('langflow', chunksOf(read(name))),
    );
  });

  it('never succeed when they are cut off anywhere', async () => {
    for (const name of ['lfx-1.13.0/llm-v2-stream-langflow', 'langflow-1.13.0/llm-v2-stream-langflow']) {
      const chunks = chunksOf(read(name));
      for (let length = 0; length < chunks.length - 1; length++) {
        const { verdict, events } = await mapped(flavourOf(name), chunks.slice(0, length));
        expect(verdict).toEqual({ ok: false, error: runErrors.truncated });
        const count = (kind: string): number => events.filter((event) => event.kind === kind).length;
        expect(count('TextMessageEnd')).toBe(count('TextMessageStart'));
        expect(count('StepFinished')).toBe(count('StepStarted'));
      }
    }
  });

  it('let no text of a failure through', async () => {
    for (const name of streams.filter((one) => /fail|missing|500|ssrf|ignored/.test(one))) {
      const { events, verdict } = await mapped(flavourOf(name), chunksOf(read(name)));
      const seen = JSON.stringify([events, verdict]);
      expect(seen).not.toMatch(
        /[Tt]raceback|removed:|\.py|OPENAI_|tabulate|fake upstream|Error code|127\.0\.0\.1/,
      );
    }
  });
});
