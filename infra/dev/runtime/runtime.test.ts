import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '@agentstore/kernel/log';
import { runtimeCases } from '../../../tests/contract/runtime/cases.ts';
import { parseFrames, summary, type Frame } from '../../../tests/contract/runtime/sse.ts';
import { demoArtifact } from './demo-flow.ts';
import { executeFlow, messageIds } from './execute-flow.ts';
import { parseFlow } from './flow.ts';
import { startRuntime, type Runtime } from './runtime.ts';
import { startScriptedModel } from './scripted-model.ts';

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-runtime-'));
const apiKey = 'dev-key';
let runtime: Runtime;

beforeAll(async () => {
  runtime = await startRuntime({ port: 0, apiKey, dir, log: silentLog });
});
afterAll(async () => {
  await runtime.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

runtimeCases('dev runtime', () => ({ url: runtime.url, apiKey }));

describe('the dev runtime', () => {
  const call = (url: string, method: string, target: string, body?: object): Promise<Response> =>
    fetch(`${url}${target}`, {
      method,
      headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const flowOf = (change: { modelName?: string; modelBaseUrl?: string } = {}): { data: unknown } =>
    JSON.parse(demoArtifact({ modelBaseUrl: 'scripted:', ...change }).toString()) as { data: unknown };
  const stream = async (url: string, flow: string, input: string): Promise<Frame[]> => {
    const body = {
      flow_id: flow,
      mode: 'stream',
      input_value: input,
      session_id: 's',
      globals: { OPENAI_API_KEY: 'k' },
    };
    return parseFrames(await (await call(url, 'POST', '/api/v2/workflows', body)).text());
  };
  const uploaded = async (url: string, flow: object): Promise<string> =>
    ((await (await call(url, 'POST', '/flows/upload/', flow)).json()) as { id: string }).id;

  it('serves its flows again after a restart', async () => {
    const home = path.join(dir, 'restart');
    const before = await startRuntime({ port: 0, apiKey, dir: home, log: silentLog });
    const id = await uploaded(before.url, flowOf());
    await before.stop();
    const after = await startRuntime({ port: 0, apiKey, dir: home, log: silentLog });
    try {
      expect(await (await call(after.url, 'GET', '/health')).json()).toEqual({
        status: 'healthy',
        flow_count: 1,
      });
      expect(summary(await stream(after.url, id, 'again')).text).toContain('“again”');
    } finally {
      await after.stop();
    }
  });

  it('says the same with its built-in model as with one behind a URL', async () => {
    const model = await startScriptedModel({ port: 0, log: silentLog });
    try {
      const inside = await uploaded(runtime.url, flowOf());
      const behind = await uploaded(runtime.url, flowOf({ modelBaseUrl: model.url }));
      for (const input of [
        'plain',
        'scripted-words?tokens=7',
        'scripted-no-usage',
        'scripted-fail',
        'scripted-fail?status=429',
        'scripted-echo?tokens=60',
      ])
        expect([input, summary(await stream(runtime.url, inside, input))]).toEqual([
          input,
          summary(await stream(runtime.url, behind, input)),
        ]);
    } finally {
      await model.stop();
    }
  });

  it('is told by the model name how to behave, as by the input', async () => {
    const id = await uploaded(runtime.url, flowOf({ modelName: 'scripted-words?tokens=3' }));
    expect(summary(await stream(runtime.url, id, 'anything')).tokens).toBe('w0 w1 w2 ');
    expect(summary(await stream(runtime.url, id, 'scripted-words?tokens=2')).tokens).toBe('w0 w1 ');
  });

  it('fails a prompt whose variable the flow does not give', async () => {
    const flow = flowOf() as {
      data: { nodes: { data: { type: string; node: { template: Record<string, { value: unknown }> } } }[] };
    };
    flow.data.nodes.find(({ data }) => data.type === 'Prompt Template')!.data.node.template[
      'template'
    ]!.value = '{question} {{literal}} {other}';
    const { events, error } = summary(await stream(runtime.url, await uploaded(runtime.url, flow), 'x'));
    expect([events.slice(-2), error]).toEqual([
      ['error', 'error'],
      "Error building Component Prompt Template: \n\n'other'",
    ]);
  });

  it('writes one HTTP chunk per frame, ended by an empty line', async () => {
    const id = await uploaded(runtime.url, flowOf({ modelName: 'scripted-words?tokens=5&delay=5' }));
    const body = JSON.stringify({
      flow_id: id,
      mode: 'stream',
      input_value: 'x',
      globals: { OPENAI_API_KEY: 'k' },
    });
    const raw = await new Promise<string>((resolve) => {
      const { port } = new URL(runtime.url);
      const socket = net.connect(Number(port), '127.0.0.1');
      let text = '';
      socket
        .setEncoding('utf8')
        .on('data', (piece: string) => (text += piece))
        .on('end', () => resolve(text));
      socket.write(
        `POST /api/v2/workflows HTTP/1.1\r\nHost: x\r\nx-api-key: ${apiKey}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    const chunks = raw
      .slice(raw.indexOf('\r\n\r\n') + 4)
      .split(/(?:^|\r\n)[0-9a-f]+\r\n/)
      .filter((chunk) => chunk.includes('data:'));
    expect(chunks.every((chunk, at) => chunk.startsWith(`id: ${at}\n`) && chunk.endsWith('\n\n'))).toBe(true);
  });

  it('stops the flow when the run is aborted, wherever it is', async () => {
    for (const modelName of [
      'scripted-endless?delay=1',
      'scripted-endless?delay=0',
      'scripted-hang?tokens=3',
      'scripted-slow',
    ]) {
      const aborting = new AbortController();
      const events = executeFlow(parseFlow(flowOf({ modelName }).data), {
        flavour: 'lfx',
        input: 'x',
        streaming: true,
        variables: new Map([['OPENAI_API_KEY', 'k']]),
        model: { delayPerTokenMs: 0 },
        signal: aborting.signal,
        newMessageId: messageIds.lfx,
        timestamp: () => '',
      });
      const reading = (async () => {
        let tokens = 0;
        for await (const event of events)
          if (event.kind === 'token' && (tokens += 1) === 3) setImmediate(() => aborting.abort());
      })();
      await expect(reading).rejects.toThrow('abort');
    }
  });

  it('as Langflow keeps a silent stream alive, and stops a job', async () => {
    const langflow = await startRuntime({
      port: 0,
      apiKey,
      dir: path.join(dir, 'langflow'),
      flavour: 'langflow',
      variables: { OPENAI_API_KEY: 'k' },
      keepaliveMs: 20,
      log: silentLog,
    });
    try {
      const id = await uploaded(langflow.url, flowOf({ modelName: 'scripted-hang?tokens=2' }));
      const closing = new AbortController();
      const response = await fetch(`${langflow.url}/api/v2/workflows`, {
        method: 'POST',
        headers: { 'x-api-key': apiKey },
        body: JSON.stringify({ flow_id: id, mode: 'stream', input_value: 'x' }),
        signal: closing.signal,
      });
      let text = '';
      const reading = (async () => {
        for await (const bytes of response.body!)
          if ((text += Buffer.from(bytes).toString()).includes(': keepalive\n\n: keepalive\n\n'))
            closing.abort();
      })();
      await expect(reading).rejects.toThrow('abort');

      const started = await call(langflow.url, 'POST', '/api/v2/workflows', {
        flow_id: id,
        mode: 'background',
        input_value: 'x',
      });
      const { job_id: job } = (await started.json()) as { job_id: string };
      const status = async (): Promise<string> =>
        (
          (await (await call(langflow.url, 'GET', `/api/v2/workflows?job_id=${job}`)).json()) as {
            status: string;
          }
        ).status;
      expect(await status()).toBe('in_progress');
      expect((await call(langflow.url, 'POST', '/api/v2/workflows/stop', { job_id: job })).status).toBe(200);
      await (await call(langflow.url, 'GET', `/api/v2/workflows/${job}/events`)).text();
      expect(await status()).toBe('cancelled');
    } finally {
      await langflow.stop();
    }
  });
});
