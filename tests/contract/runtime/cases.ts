import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { demoArtifact, orderDeskArtifact } from '../../../infra/dev/runtime/demo-flow.ts';
import {
  startScriptedModel,
  type ScriptedModel,
  type SeenRequest,
} from '../../../infra/dev/runtime/scripted-model.ts';
import { startMcpServer } from './mcp-server.ts';
import { parseFrames, readFrames, summary, type Frame } from './sse.ts';

/** A running flow runtime that speaks the lfx wire. */
export interface RuntimeUnderTest {
  readonly url: string;
  readonly apiKey: string;
}

interface FlowJson {
  id?: string;
  name: string;
  data: {
    nodes: {
      id: string;
      data: { type: string; node: { display_name: string; template: Record<string, { value?: unknown }> } };
    }[];
    edges: unknown[];
  };
}

const flowFile = (name: string): FlowJson =>
  JSON.parse(
    fs.readFileSync(path.join(import.meta.dirname, '../../../infra/dev/runtime/flows', name), 'utf8'),
  ) as FlowJson;

const templateOf = (flow: FlowJson, id: string): Record<string, { value?: unknown }> =>
  flow.data.nodes.find((node) => node.id === id)!.data.node.template;

/** What the store expects of a flow runtime, with a model and a tool server that see who calls. Runs on the dev runtime and on real lfx. */
export function runtimeCases(name: string, subject: () => RuntimeUnderTest): void {
  describe(`${name}`, () => {
    const seen: SeenRequest[] = [];
    let model: ScriptedModel;
    let mcp: Awaited<ReturnType<typeof startMcpServer>>;
    const flows = { echo: randomUUID(), agent: randomUUID(), tool: randomUUID(), desk: randomUUID() };

    const call = (
      method: string,
      target: string,
      o: { body?: unknown; key?: string | null; signal?: AbortSignal } = {},
    ): Promise<Response> =>
      fetch(`${subject().url}${target}`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(o.key === null ? {} : { 'x-api-key': o.key ?? subject().apiKey }),
        },
        ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
        ...(o.signal ? { signal: o.signal } : {}),
      });
    const upload = (flow: FlowJson, id?: string): Promise<Response> =>
      call('POST', '/flows/upload/', { body: { ...flow, ...(id ? { id } : {}) } });
    const agent = (): FlowJson =>
      JSON.parse(demoArtifact({ modelBaseUrl: model.url }).toString()) as FlowJson;
    const orderDesk = (): FlowJson =>
      JSON.parse(orderDeskArtifact({ modelBaseUrl: model.url, gatewayUrl: mcp.url }).toString()) as FlowJson;
    const toolFlow = (url: string): FlowJson => {
      const flow = flowFile('tool-call.json');
      templateOf(flow, 'MCPTools-1')['mcp_server']!.value = {
        name: 'gateway',
        config: { url, headers: { Authorization: 'Bearer {{RUNTOKEN}}' } },
      };
      return flow;
    };
    const streaming = (flow: string, input: string, more: object = {}): Record<string, unknown> => ({
      flow_id: flow,
      input_value: input,
      session_id: 's-1',
      mode: 'stream',
      stream_protocol: 'langflow',
      globals: { OPENAI_API_KEY: 'key-A' },
      ...more,
    });
    const stream = async (flow: string, input: string, more: object = {}): Promise<Frame[]> => {
      const response = await call('POST', '/api/v2/workflows', { body: streaming(flow, input, more) });
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
      ]);
      return parseFrames(await response.text());
    };
    const until = async (what: () => boolean): Promise<void> => {
      for (const deadline = Date.now() + 20_000; !what(); await sleep(20))
        if (Date.now() > deadline) throw new Error('it did not happen');
    };

    beforeAll(async () => {
      model = await startScriptedModel({
        port: 0,
        log: silentLog,
        onRequest: (request) => seen.push(request),
      });
      mcp = await startMcpServer({ togetherWith: 2 });
      for (const [flow, id] of [
        [flowFile('echo.json'), flows.echo],
        [agent(), flows.agent],
        [toolFlow(mcp.url), flows.tool],
        [orderDesk(), flows.desk],
      ] as const) {
        const answer = await upload(flow, id);
        expect([answer.status, await answer.text()]).toEqual([201, expect.stringContaining(id)]);
      }
    });
    afterAll(async () => {
      await model?.stop();
      await mcp?.stop();
    });

    it('is healthy without a key, and asks for one otherwise', async () => {
      const health = await call('GET', '/health', { key: null });
      expect([health.status, await health.json()]).toEqual([
        200,
        expect.objectContaining({ status: 'healthy' }),
      ]);
      const body = streaming(flows.echo, 'x');
      expect([
        (await call('POST', '/api/v2/workflows', { body, key: null })).status,
        (await call('POST', '/api/v2/workflows', { body, key: 'wrong' })).status,
      ]).toEqual([401, 401]);
      expect((await upload(flowFile('echo.json'))).status).toBe(201);
    });

    it('takes a flow once under an id, tells of it and forgets it', async () => {
      const id = randomUUID();
      expect((await upload(flowFile('echo.json'), id)).status).toBe(201);
      const again = await upload(flowFile('echo.json'), id);
      expect([again.status, await again.json()]).toEqual([
        409,
        { detail: `Flow '${id}' already exists. Pass replace=true to overwrite.` },
      ]);
      expect(await (await call('GET', `/flows/${id}/info`)).json()).toMatchObject({ id, title: 'echo' });
      expect((await call('DELETE', `/flows/${id}`)).status).toBe(204);
      expect((await call('DELETE', `/flows/${id}`)).status).toBe(404);
      const run = await call('POST', '/api/v2/workflows', { body: streaming(id, 'x') });
      expect([run.status, await run.json()]).toEqual([
        404,
        { detail: { error: 'flow not found', code: 'FLOW_NOT_FOUND', flow_id: id } },
      ]);
    });

    it('refuses what is no flow, and component types it does not know', async () => {
      expect((await upload({ name: 'no data' } as FlowJson)).status).toBe(422);
      const broken = await call('POST', '/flows/upload/', {
        body: { name: 'broken', data: { nodes: [{ id: 'x' }], edges: [] } },
      });
      expect([broken.status, await broken.json()]).toEqual([
        422,
        { detail: expect.stringMatching(/^Invalid flow data: /) as string },
      ]);
      const unknown = flowFile('echo.json');
      unknown.data.nodes[0]!.data.type = 'OwnComponent';
      const refused = await upload(unknown);
      expect([refused.status, await refused.json()]).toEqual([
        422,
        {
          detail:
            'Invalid flow data: Flow build blocked: custom components are not allowed: Chat Input (ChatInput-1)',
        },
      ]);
    });

    it('never runs the code that a flow carries', async () => {
      const proof = path.join(os.tmpdir(), `agentstore-${randomUUID()}`);
      const flow = flowFile('echo.json');
      const code = flow.data.nodes[0]!.data.node.template['code']!;
      code.value = `from lfx.components.input_output import ChatInput as ChatInputComponent\n\n\nclass ChatInput(ChatInputComponent):\n    open(${JSON.stringify(proof)}, "w")\n`;
      const id = randomUUID();
      expect((await upload(flow, id)).status).toBe(201);
      expect(summary(await stream(id, 'safe')).text).toBe('safe');
      expect(fs.existsSync(proof)).toBe(false);
    });

    it('echoes', async () => {
      const frames = await stream(flows.echo, 'hello “wörld”');
      expect(summary(frames)).toMatchObject({ text: 'hello “wörld”', tokens: '', usage: null });
      expect(frames.at(-1)!.json).toEqual({ event: 'end', data: {} });
      expect(frames.map((frame) => frame.id)).toEqual(frames.map((_, at) => at));
    });

    it('streams a model token by token, with its usage', async () => {
      const { events, tokens, text, usage } = summary(await stream(flows.agent, 'What is on the shelf?'));
      expect(events).toEqual([
        'build_start',
        'add_message',
        'end_vertex', // input
        'build_start',
        'end_vertex', // prompt
        'build_start',
        'add_message',
        'token',
        'add_message',
        'end_vertex', // model
        'build_start',
        'add_message',
        'add_message',
        'end_vertex',
        'end', // output
      ]);
      expect(tokens).toBe(text);
      expect(text).toContain('You asked: “What is on the shelf?”');
      const request = seen.findLast(({ input }) => input.includes('shelf'))!;
      expect(request).toMatchObject({ apiKey: 'key-A', outcome: 'answered' });
      expect(usage).toEqual({
        input_tokens: 16,
        output_tokens: request.tokens,
        total_tokens: 16 + request.tokens,
      });
    });

    it('keeps component ids and inner outputs to itself when asked', async () => {
      const response = await call('POST', '/api/v2/workflows', {
        body: streaming(flows.agent, 'quiet', { expose_graph_state: false }),
      });
      const body = await response.text();
      expect(summary(parseFrames(body)).events).toEqual([
        'add_message',
        'add_message',
        'token',
        'add_message',
        'add_message',
        'add_message',
        'end',
      ]);
      expect(body).not.toContain('OpenAIModel-1');
    });

    it('speaks AG-UI', async () => {
      const types = (await stream(flows.agent, 'agui', { stream_protocol: 'agui' })).map(
        (frame) => frame.json.type,
      );
      expect([...new Set(types)]).toEqual([
        'RUN_STARTED',
        'TEXT_MESSAGE_START',
        'TEXT_MESSAGE_CONTENT',
        'TEXT_MESSAGE_END',
        'RUN_FINISHED',
      ]);
    });

    it('answers whole in sync mode, and echoes the globals', async () => {
      const response = await call('POST', '/api/v2/workflows', {
        body: {
          flow_id: flows.agent,
          input_value: 'sync',
          session_id: 's-1',
          globals: { OPENAI_API_KEY: 'key-A' },
        },
      });
      expect(await response.json()).toMatchObject({
        status: 'completed',
        output: {
          reason: 'single',
          text: expect.stringContaining('“sync”') as string,
          source: 'ChatOutput-1',
        },
        globals: { OPENAI_API_KEY: 'key-A' },
        has_errors: false,
      });
    });

    it('reports no usage when the model gives none', async () => {
      const { text, usage, events } = summary(await stream(flows.agent, 'scripted-no-usage'));
      expect([text.startsWith('You asked'), usage, events.at(-1)]).toEqual([true, null, 'end']);
    });

    it('tells a failing model twice and does not end', async () => {
      const { events, error } = summary(await stream(flows.agent, 'please scripted-fail'));
      expect(events.slice(-2)).toEqual(['error', 'error']);
      expect(error).toMatch(
        /^Error building Component OpenAI: \n\nError code: 500 - \{'error': \{'message': 'the scripted model failed as asked'/,
      );
    });

    it('tells a model that breaks off after some tokens', async () => {
      const { events, tokens } = summary(await stream(flows.agent, 'please scripted-fail?tokens=12&delay=5'));
      expect(events.slice(-3)).toEqual(['token', 'error', 'error']);
      expect(tokens.startsWith('You asked: ')).toBe(true);
    });

    it('fails without the key that the flow names', async () => {
      const { events, error } = summary(await stream(flows.agent, 'keyless', { globals: {} }));
      expect(events.slice(-2)).toEqual(['error', 'error']);
      expect(error).toContain('Missing credentials');
      expect(seen.some(({ input }) => input.includes('keyless'))).toBe(false);
    });

    it('sends a variable to a tool, and an unset one literally', async () => {
      const before = mcp.calls.length;
      await stream(flows.tool, 'with token', { globals: { RUNTOKEN: 'run-token-1' } });
      await stream(flows.tool, 'without token', { globals: {} });
      expect(mcp.calls.slice(before)).toEqual([
        {
          authorization: 'Bearer run-token-1',
          tool: 'echo_tool',
          arguments: { text: 'with token' },
        },
        {
          authorization: 'Bearer {{RUNTOKEN}}',
          tool: 'echo_tool',
          arguments: { text: 'without token' },
        },
      ]);
    });

    it('calls two tools of one flow and streams what only they know', async () => {
      const before = mcp.calls.length;
      const globals = { OPENAI_API_KEY: 'key-A', RUNTOKEN: 'run-7' };
      const { text, tokens, events } = summary(await stream(flows.desk, 'Where is A-1042?', { globals }));
      expect(text).toContain(
        'orders__find_order says: True, A-1042, Walnut desk, shipped, 2026-12-02, run-7. status__service_status says: delivery, delayed, snow in the north, one day late, run-7. You asked: “Where is A-1042?”',
      );
      expect([tokens, events.at(-1)]).toEqual([text, 'end']);
      const authorization = 'Bearer run-7';
      expect(mcp.calls.slice(before).toSorted((a, b) => a.tool.localeCompare(b.tool))).toEqual([
        { authorization, tool: 'orders__find_order', arguments: { text: 'Where is A-1042?', open: true } },
        { authorization, tool: 'status__service_status', arguments: { service: 'delivery' } },
      ]);
    });

    it('gives each of two runs in one tool at once what is of its own token', async () => {
      const before = mcp.calls.length;
      const runs = ['run-A', 'run-B'] as const;
      const answers = await Promise.all(
        runs.map((run) =>
          stream(flows.desk, `together ${run}`, { globals: { OPENAI_API_KEY: 'key-A', RUNTOKEN: run } }),
        ),
      );
      for (const [at, run] of runs.entries()) {
        expect(summary(answers[at]!).text).toContain(
          `2026-12-02, ${run}. status__service_status says: delivery, delayed, snow in the north, one day late, ${run}. You asked: “together ${run}”`,
        );
        expect(JSON.stringify(answers[at])).not.toContain(runs[1 - at]);
      }
      const seenCalls = mcp.calls.slice(before);
      expect(seenCalls).toHaveLength(4);
      for (const run of runs) {
        const own = seenCalls.filter(({ authorization }) => authorization === `Bearer ${run}`);
        expect(new Set(own.flatMap((one) => Object.values(one.arguments)))).toEqual(
          new Set([`together ${run}`, true, 'delivery']),
        );
      }
    });

    it('converts the fields of a node to the parameters of its tool, from an event stream too', async () => {
      const flow = orderDesk();
      const order = templateOf(flow, 'MCPTools-order');
      (order['mcp_server']!.value as { config: { url: string } }).config.url = mcp.streamUrl;
      Object.assign(order, {
        limit: { type: 'str', show: true },
        open: { type: 'str', value: 'no', show: true },
        other: { type: 'str', value: 'no parameter', show: true },
      });
      const streamed = async (limit: string, input: string): Promise<Frame[]> => {
        order['limit']!.value = limit;
        const id = randomUUID();
        expect((await upload(flow, id)).status).toBe(201);
        return stream(id, input, { globals: { OPENAI_API_KEY: 'key-A', RUNTOKEN: 'run-8' } });
      };
      await streamed('5', 'converted');
      expect(mcp.calls.findLast(({ tool }) => tool === 'orders__find_order')!.arguments).toEqual({
        text: 'converted',
        limit: 5,
        open: false,
      });
      const { error } = summary(await streamed('five', 'not converted'));
      expect(error).toContain(
        "Error in build_output: Tool 'orders__find_order': Parameter 'limit' expects integer (int) but received string: 'five'",
      );
      expect(mcp.calls.some((seenCall) => seenCall.arguments['text'] === 'not converted')).toBe(false);
    });

    it('fails with the words of a result that is an error', async () => {
      const { events, error } = summary(
        await stream(flows.tool, 'refuse me', { globals: { RUNTOKEN: 'run-9' } }),
      );
      expect(events.slice(-2)).toEqual(['error', 'error']);
      expect(error).toContain(
        "Error building Component MCP Tools: \n\nError in build_output: MCP tool 'echo_tool' failed: TOOL_DENIED: the policy denies it. audit 7",
      );
    });

    it('fails when the tool server refuses the token, or is not there for it', async () => {
      const errorOf = async (status: number): Promise<string | undefined> =>
        summary(await stream(flows.tool, 'x', { globals: { RUNTOKEN: `status-${status}` } })).error;
      const server = `Error in build_output: Error updating tool list: MCP server 'gateway' at ${mcp.url}`;
      expect(await errorOf(401)).toContain(
        `${server} rejected the request with HTTP 401: the configured credential was refused.`,
      );
      expect(await errorOf(403)).toContain(
        `${server} rejected the request with HTTP 403: the configured credential was refused.`,
      );
      expect(await errorOf(404)).toContain(`${server} failed: `);
      expect(await errorOf(503)).toContain(`${server} failed with HTTP 503: `);
    });

    it('waits for a call that an HTTP status answers, until the timeout of its node', async () => {
      const flow = toolFlow(mcp.url);
      templateOf(flow, 'MCPTools-1')['tool_execution_timeout']!.value = 1;
      const id = randomUUID();
      expect((await upload(flow, id)).status).toBe(201);
      const { error } = summary(await stream(id, 'x', { globals: { RUNTOKEN: 'call-status-403' } }));
      expect(error).toContain(
        "Error in build_output: Tool 'echo_tool' execution failed: Tool 'echo_tool' timed out after 1s.",
      );
    });

    it('stops when the client closes the connection', async () => {
      const closing = new AbortController();
      const response = await call('POST', '/api/v2/workflows', {
        body: streaming(flows.agent, 'scripted-endless run 7'),
        signal: closing.signal,
      });
      let tokens = 0;
      const reading = (async () => {
        for await (const frame of readFrames(response))
          if (frame.json.event === 'token' && (tokens += 1) === 20) closing.abort();
      })();
      await expect(reading).rejects.toThrow('abort');
      await until(() => seen.some(({ input, outcome }) => input.includes('run 7') && outcome === 'aborted'));
    });

    it('keeps the globals of interleaved runs apart', async () => {
      const runs = Array.from({ length: 6 }, (_, at) => ({
        key: `key-${at}`,
        input: `interleaved ${at} scripted-slow?tokens=10&delay=30`,
      }));
      const answers = await Promise.all(
        runs.map(({ key, input }) =>
          stream(flows.agent, input, { globals: { OPENAI_API_KEY: key }, session_id: 'shared' }),
        ),
      );
      for (const [at, { key, input }] of runs.entries()) {
        expect(summary(answers[at]!).text).toContain(`“interleaved ${at}`);
        expect(
          seen.filter((request) => request.input.endsWith(input)).map((request) => request.apiKey),
        ).toEqual([key]);
        expect(JSON.stringify(answers[at])).not.toContain(runs[(at + 1) % 6]!.key);
      }
    });

    it('refuses fields and modes that it does not have', async () => {
      const code = async (more: object): Promise<unknown> => {
        const response = await call('POST', '/api/v2/workflows', { body: streaming(flows.echo, 'x', more) });
        const { detail } = (await response.json()) as { detail: { code?: string } | { type: string }[] };
        return [response.status, Array.isArray(detail) ? detail[0]!.type : detail.code];
      };
      expect(await code({ unknown: 1 })).toEqual([422, 'extra_forbidden']);
      expect(await code({ tweaks: { 'ChatInput-1': { input_value: 'y' } } })).toEqual([
        422,
        'LFX_SERVE_UNSUPPORTED_FIELDS',
      ]);
      expect(await code({ mode: 'background' })).toEqual([422, 'LFX_SERVE_UNSUPPORTED_MODE']);
      expect(await code({ stream_protocol: 'other' })).toEqual([422, 'UNKNOWN_STREAM_PROTOCOL']);
      expect(await code({ mode: 'sync', output_ids: ['other'] })).toEqual([422, 'UNKNOWN_OUTPUT_IDS']);
    });
  });
}
