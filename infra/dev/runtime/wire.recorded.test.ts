import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { startMcpServer } from '../../../tests/contract/runtime/mcp-server.ts';
import {
  describeRecorded,
  recorded,
  recordedText,
  type Recorded,
} from '../../../tests/contract/runtime/recordings.ts';
import { parseFrames } from '../../../tests/contract/runtime/sse.ts';
import type { Flavour } from './components.ts';
import { startRuntime, type Runtime } from './runtime.ts';

const apiKey = 'recorded-key';
const ids = {
  echo: '11111111-1111-4111-8111-111111111111',
  llm: '22222222-2222-4222-8222-222222222222',
  tool: '33333333-3333-4333-8333-333333333333',
};
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-wire-'));

interface Template {
  [field: string]: { value?: unknown };
}
interface FlowJson {
  id?: string;
  data: { nodes: { data: { type: string; node: { template: Template } } }[] };
}

/** A recorded flow with fields of its nodes changed. */
function flow(file: string, id: string | undefined, change: Record<string, unknown> = {}): FlowJson {
  const json = JSON.parse(recordedText(file)) as FlowJson;
  for (const { data } of json.data.nodes)
    for (const [field, value] of Object.entries(change))
      if (data.node.template[field]) data.node.template[field].value = value;
  return id === undefined ? json : { ...json, id };
}

/** Values that no two runs share, by member name: ids become their order of appearance, so that what belongs together still must. */
function still(value: unknown): unknown {
  const seen: string[] = [];
  const idMembers = [
    'id',
    'messageId',
    'run_id',
    'runId',
    'flow_id',
    'job_id',
    'graph_run_id',
    'user_id',
    'folder_id',
    'version_token',
  ];
  const timeMembers = [
    'timestamp',
    'created_timestamp',
    'timedelta',
    'build_duration',
    'duration',
    'updated_at',
  ];
  const removed = ['traceback', 'stackTrace', 'logs', 'repr'];
  const isRandom = /^([0-9a-f]{8}-[0-9a-f-]{27}|[\w-]{21})$/;
  const name = (id: string): string => {
    if (!seen.includes(id)) seen.push(id);
    return `id ${seen.indexOf(id)}`;
  };
  const walk = (one: unknown, member: string): unknown => {
    if (one === null) return null;
    if (typeof one === 'string' && idMembers.includes(member) && isRandom.test(one)) return name(one);
    if (typeof one === 'string' && member === 'threadId') return one;
    if (['string', 'number'].includes(typeof one) && timeMembers.includes(member)) return 'a time';
    if (typeof one === 'string' && removed.includes(member)) return one === '' ? '' : 'internal text';
    if (typeof one === 'string' && member === 'params' && one.includes('\n    ')) return 'wrapped text';
    if (typeof one === 'string' && member === 'params' && one.length > 120 && one.startsWith('- Files'))
      return 'wrapped text';
    if (typeof one === 'string')
      return one
        .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, name)
        .replace(/^\/api\/v2\/workflows(\/id \d+)/, '/api/v2/workflows$1');
    if (Array.isArray(one)) {
      const list = one.map((item) => walk(item, ''));
      return member === 'to_run' ? list.sort((a, b) => (String(a) < String(b) ? -1 : 1)) : list;
    }
    if (typeof one === 'object') {
      const usage = one as { input_tokens?: unknown };
      if (usage.input_tokens !== undefined) return { ...one, input_tokens: 'some', total_tokens: 'some' };
      return Object.fromEntries(
        Object.entries(one)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, walk(item, key)]),
      );
    }
    return one;
  };
  return walk(value, '');
}

/** The recorded model server's words in ours. */
const inOurWords = (text: string): string =>
  text
    .replaceAll('fake upstream failure', 'the scripted model failed as asked')
    .replaceAll("'boom'", "'scripted_failure'")
    .replaceAll('"fake-model"', '"scripted-words"');

/** An answer in comparable form: status, headers, and the body with what no two runs share taken out. */
function said(answer: Recorded): object {
  const names = ['content-type', 'cache-control', 'x-accel-buffering', 'server'];
  const headers = Object.fromEntries(names.map((name) => [name, answer.headers[name] ?? null]));
  const body = inOurWords(answer.body);
  if (!answer.headers['content-type']?.startsWith('text/event-stream'))
    return { status: answer.status, headers, body: still(JSON.parse(body)) };
  const frames = parseFrames(body);
  return {
    status: answer.status,
    headers,
    events: frames.map(({ json }) => json.event ?? json.type),
    lines: frames.map(({ id, order }) => [id, order]),
    // Blanks and escapes are the serializer's: Python's for `langflow`, compact for `agui`.
    spelling: [...body.matchAll(/^data: .{10}/gm)].map(([start]) => start),
    frames: still(frames.map(({ json }) => json)),
  };
}

const answerOf = async (response: Response): Promise<Recorded> => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});

function recordedCases(flavour: Flavour, prefix: string, cases: readonly Case[]): void {
  describeRecorded(`${prefix} as recorded`, () => {
    let runtime: Runtime;
    let mcp: Awaited<ReturnType<typeof startMcpServer>>;
    const flowIds: Record<string, string> = {};
    const call = (
      method: string,
      target: string,
      o: { body?: unknown; key?: string | null; headers?: Record<string, string> } = {},
    ): Promise<Response> =>
      fetch(`${runtime.url}${target}`, {
        method,
        headers: {
          ...(o.key === null ? {} : { 'x-api-key': o.key ?? apiKey }),
          'content-type': 'application/json',
          ...o.headers,
        },
        ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      });

    beforeAll(async () => {
      runtime = await startRuntime({
        port: 0,
        apiKey,
        dir: path.join(dir, flavour),
        flavour,
        variables: flavour === 'langflow' ? { STORED_KEY: 'k' } : {},
        log: silentLog,
      });
      mcp = await startMcpServer();
      const flows = {
        echo: flow('echo.json', ids.echo),
        llm: flow('llm-stream.json', ids.llm, { openai_api_base: 'scripted:', model_name: 'scripted-words' }),
        boom: flow('llm-stream.json', undefined, {
          openai_api_base: 'scripted:',
          model_name: 'scripted-fail',
        }),
        stored: flow('llm-stream.json', undefined, {
          openai_api_base: 'scripted:',
          model_name: 'scripted-words',
          api_key: 'STORED_KEY',
        }),
        storedBoom: flow('llm-stream.json', undefined, {
          openai_api_base: 'scripted:',
          model_name: 'scripted-fail',
          api_key: 'STORED_KEY',
        }),
        tool: flow('tool-call.json', ids.tool, {
          mcp_server: {
            name: 'gateway',
            config: { url: mcp.url, headers: { Authorization: 'Bearer {{RUNTOKEN}}' } },
          },
        }),
      };
      for (const [name, json] of Object.entries(flows)) {
        const made = await call('POST', '/flows/upload/', { body: json });
        expect(made.status).toBe(201);
        flowIds[name] = ((await made.json()) as { id: string }).id;
      }
    });
    afterAll(async () => {
      await runtime.stop();
      await mcp.stop();
    });
    it.each(cases)('%s', async (file, work) => {
      const run: World['run'] = (flowName, body, headers) =>
        call('POST', '/api/v2/workflows', {
          body: { flow_id: flowIds[flowName], ...body },
          ...(headers ? { headers } : {}),
        });
      const answer = await answerOf(await work({ call, flowIds, run }));
      expect(said(answer)).toEqual(said(recorded(`${prefix}/${file}.http`)));
    });
  });
}

interface World {
  readonly call: (
    method: string,
    target: string,
    o?: { body?: unknown; key?: string | null; headers?: Record<string, string> },
  ) => Promise<Response>;
  readonly flowIds: Record<string, string>;
  /** A v2 workflow run of a named flow. */
  readonly run: (
    flow: string,
    body: Record<string, unknown>,
    headers?: Record<string, string>,
  ) => Promise<Response>;
}
type Case = readonly [recording: string, work: (world: World) => Promise<Response>];

const key = { OPENAI_API_KEY: 'run-key-A' };
const stream = (input: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  input_value: input,
  mode: 'stream',
  stream_protocol: 'langflow',
  session_id: 's-1',
  ...more,
});
const agui = { stream_protocol: 'agui' };
const quiet = { expose_graph_state: false };

recordedCases('lfx', 'lfx-1.13.0', [
  ['upload-409', ({ call }) => call('POST', '/flows/upload/', { body: flow('echo.json', ids.echo) })],
  [
    'upload-201',
    ({ call }) => call('POST', '/flows/upload/', { body: { ...flow('echo.json', ids.echo), replace: true } }),
  ],
  [
    'llm-upload',
    ({ call }) =>
      call('POST', '/flows/upload/', {
        body: {
          ...flow('llm-stream.json', ids.llm, { openai_api_base: 'scripted:', model_name: 'scripted-words' }),
          replace: true,
        },
      }),
  ],
  [
    'upload-422',
    ({ call }) =>
      call('POST', '/flows/upload/', { body: { name: 'bad', data: { nodes: [{ id: 'x' }], edges: [] } } }),
  ],
  [
    'upload-422-restricted-unknown-type',
    ({ call }) => {
      const unknown = flow('echo.json', undefined);
      unknown.data.nodes[0]!.data.type = 'MyInput';
      return call('POST', '/flows/upload/', { body: unknown });
    },
  ],
  ['info', ({ call }) => call('GET', `/flows/${ids.echo}/info`)],
  [
    'run-401',
    ({ call }) => call('POST', `/flows/${ids.echo}/run`, { body: { input_value: 'x' }, key: null }),
  ],
  ['v2-401', ({ call }) => call('POST', '/api/v2/workflows', { body: { flow_id: ids.echo }, key: null })],
  [
    'v2-404',
    ({ call }) =>
      call('POST', '/api/v2/workflows', { body: { flow_id: '09c2e58b-d92b-4639-b85c-cef61c8f63ff' } }),
  ],
  ['v2-422-background', ({ run }) => run('echo', { mode: 'background' })],
  ['v2-422-outputids', ({ run }) => run('echo', { output_ids: ['nope'] })],
  ['v2-422-protocol', ({ run }) => run('echo', { mode: 'stream', stream_protocol: 'zzz' })],
  ['v2-422-tweaks', ({ run }) => run('echo', { tweaks: { 'ChatInput-1': { input_value: 'x' } } })],
  ['v2-422-unknown-field', ({ run }) => run('echo', { foo: 1 })],
  ['echo-run', ({ call }) => call('POST', `/flows/${ids.echo}/run`, { body: { input_value: 'hello run' } })],
  [
    'echo-v2-sync',
    ({ run }) =>
      run('echo', { input_value: 'hello v2', session_id: 's-1', globals: { RUNTOKEN: 'rt-secret-1' } }),
  ],
  ['echo-v2-stream-langflow', ({ run }) => run('echo', stream('hello v2'))],
  ['echo-v2-stream-langflow-nostate', ({ run }) => run('echo', stream('hello v2', quiet))],
  ['echo-v2-stream-agui', ({ run }) => run('echo', stream('hello v2', agui))],
  [
    'echo-v2-stream-agui-state',
    ({ run }) => run('echo', stream('hello v2', { ...agui, expose_graph_state: true })),
  ],
  [
    'llm-run',
    ({ call }) => call('POST', `/flows/${ids.llm}/run`, { body: { input_value: 'hello', global_vars: key } }),
  ],
  ['llm-v2-sync', ({ run }) => run('llm', { input_value: 'hello', session_id: 's-1', globals: key })],
  ['llm-v2-stream-langflow', ({ run }) => run('llm', stream('hello', { globals: key }))],
  ['llm-v2-stream-langflow-nostate', ({ run }) => run('llm', stream('hello', { globals: key, ...quiet }))],
  ['llm-v2-stream-agui', ({ run }) => run('llm', stream('hello', { globals: key, ...agui }))],
  ['llm-missing-key-v2-stream', ({ run }) => run('llm', stream('hello'))],
  ['llm-upstream-500-v2-stream', ({ run }) => run('boom', stream('boom', { globals: key }))],
  [
    'tool-run',
    ({ call }) =>
      call('POST', `/flows/${ids.tool}/run`, {
        body: { input_value: 'ping', global_vars: { RUNTOKEN: 'rt-A' } },
      }),
  ],
  [
    'tool-v2-sync',
    ({ run }) => run('tool', { input_value: 'ping', session_id: 's-1', globals: { RUNTOKEN: 'rt-A' } }),
  ],
  ['tool-v2-sync-notoken', ({ run }) => run('tool', { input_value: 'ping', session_id: 's-1' })],
  ['tool-v2-stream-langflow', ({ run }) => run('tool', stream('ping', { globals: { RUNTOKEN: 'rt-A' } }))],
  [
    'tool-v2-stream-agui',
    ({ run }) => run('tool', stream('ping', { globals: { RUNTOKEN: 'rt-A' }, ...agui })),
  ],
  [
    'tool-v2-stream-header-var',
    ({ run }) => run('tool', stream('ping', quiet), { 'X-LANGFLOW-GLOBAL-VAR-RUNTOKEN': 'rt-H' }),
  ],
]);

recordedCases('langflow', 'langflow-1.13.0', [
  ['version', ({ call }) => call('GET', '/api/v1/version', { key: null })],
  ['health', ({ call }) => call('GET', '/health', { key: null })],
  ['health_check', ({ call }) => call('GET', '/health_check', { key: null })],
  [
    'echo-v2-sync',
    ({ run }) => run('echo', { input_value: 'hello v2', session_id: 's-1', globals: { RUNTOKEN: 'rt-1' } }),
  ],
  ['echo-v2-stream-langflow', ({ run }) => run('echo', stream('hello v2'))],
  ['echo-v2-stream-agui', ({ run }) => run('echo', stream('hello v2', agui))],
  ['echo-v2-background', ({ run }) => run('echo', { ...stream('hello v2'), mode: 'background' })],
  [
    'echo-v2-job',
    async ({ call, run }) => {
      const { job_id: id } = (await (
        await run('echo', { ...stream('hello v2'), mode: 'background' })
      ).json()) as { job_id: string };
      await (await call('GET', `/api/v2/workflows/${id}/events`)).text();
      return call('GET', `/api/v2/workflows?job_id=${id}`);
    },
  ],
  [
    'echo-v2-job-events',
    async ({ call, run }) => {
      const { job_id: id } = (await (
        await run('echo', { ...stream('hello v2'), mode: 'background' })
      ).json()) as { job_id: string };
      return call('GET', `/api/v2/workflows/${id}/events`);
    },
  ],
  ['llm-v2-sync', ({ run }) => run('llm', { input_value: 'hello', session_id: 's-L', globals: key })],
  ['llm-v2-stream-langflow', ({ run }) => run('stored', stream('hello', { session_id: 's-L' }))],
  ['llm-v2-stream-agui', ({ run }) => run('stored', stream('hello', { session_id: 's-L', ...agui }))],
  [
    'llm-v2-stream-langflow-globals-ignored',
    ({ run }) => run('llm', stream('hello', { session_id: 's-L', globals: key })),
  ],
  [
    'llm-v2-stream-agui-globals-ignored',
    ({ run }) => run('llm', stream('hello', { session_id: 's-L', globals: key, ...agui })),
  ],
  ['fail-v2-stream-langflow', ({ run }) => run('storedBoom', stream('boom', { session_id: 's-F' }))],
  [
    'fail-v2-stream-langflow-nostate',
    ({ run }) => run('storedBoom', stream('boom', { session_id: 's-F', ...quiet })),
  ],
  ['fail-v2-stream-agui', ({ run }) => run('storedBoom', stream('boom', { session_id: 's-F', ...agui }))],
  ['fail-v2-sync', ({ run }) => run('storedBoom', { input_value: 'boom', session_id: 's-F' })],
  [
    'tool-v2-sync',
    ({ run }) =>
      run('tool', { input_value: 'ping', session_id: 's-xsync', globals: { RUNTOKEN: 'rt-sync' } }),
  ],
  [
    'tool-v2-stream',
    ({ run }) =>
      run('tool', stream('ping', { session_id: 's-xstream', globals: { RUNTOKEN: 'rt-stream' }, ...quiet })),
  ],
]);

afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));
