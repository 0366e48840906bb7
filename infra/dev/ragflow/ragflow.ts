import type { Log } from '@agentstore/kernel/log';
import { serve } from '@agentstore/kernel/http/server';
import * as datasets from './datasets.ts';
import * as documents from './documents.ts';
import { code, enveloped, notOwned, Refusal, refusedAs } from './envelope.ts';
import { faultyAnswer, type Faults } from './faults.ts';
import { retrieve } from './retrieve.ts';
import type { RagflowState } from './state.ts';

export interface RagflowOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** The one key that is let in. */
  readonly apiKey: string;
  /** How long a document is parsed, in milliseconds. */
  readonly parseMs: number;
  readonly log: Log;
  /** Milliseconds since 1970; default the clock. */
  readonly now?: () => number;
}

/** A running double of Ragflow on 127.0.0.1. What it knows is gone when it stops. */
export interface Ragflow {
  readonly url: string;
  /** What was asked so far, as `METHOD /path`. */
  readonly requests: string[];
  /** In place of the faults before. */
  misbehave(faults: Faults): void;
  stop(): Promise<void>;
}

/** Ragflow's own bound is 1 GiB; ours is of a development machine, and above that of uploads. */
const largestBody = 64 * 1024 ** 2;

export async function startRagflow(options: RagflowOptions): Promise<Ragflow> {
  const state: RagflowState = new Map();
  const requests: string[] = [];
  let faults: Faults = {};
  let parsesLeft: Faults['parses'] = [];
  const now = options.now ?? Date.now;
  const takeParseFault = () => {
    const [first, ...rest] = parsesLeft ?? [];
    parsesLeft = rest;
    return first;
  };

  async function answer(request: Request, url: URL): Promise<Response> {
    if (request.headers.get('authorization') !== `Bearer ${options.apiKey}`)
      throw new Refusal(code.authentication, 'Authentication error: API key is invalid!');
    const [, api, version, first, datasetId, part, ...more] = url.pathname.split('/');
    const call = more.length ? '' : [request.method, api, version, first, part].filter(Boolean).join(' ');
    if (call === 'POST api v1 retrieval') return enveloped(retrieve(state, await jsonOf(request)));
    if (datasetId === undefined) {
      if (call === 'POST api v1 datasets') return datasets.create(state, await jsonOf(request), now());
      if (call === 'GET api v1 datasets') return datasets.list(state, url.searchParams);
      if (call === 'DELETE api v1 datasets') return datasets.remove(state, await jsonOf(request));
      throw noSuchCall(request.method, url.pathname);
    }
    const dataset = state.get(datasetId);
    if (first === 'datasets' && !dataset) throw notOwned(datasetId);
    if (!dataset) throw noSuchCall(request.method, url.pathname);
    const room = { now: now(), parseMs: options.parseMs, faults, takeParseFault };
    switch (call) {
      case 'POST api v1 datasets documents':
        return documents.upload(room, dataset, request);
      case 'GET api v1 datasets documents':
        return documents.list(room, dataset, url.searchParams);
      case 'DELETE api v1 datasets documents':
        return documents.remove(dataset, await jsonOf(request));
      case 'POST api v1 datasets chunks':
        return documents.parse(room, dataset, await jsonOf(request));
      case 'DELETE api v1 datasets chunks':
        return documents.stop(room, dataset, await jsonOf(request));
      default:
        throw noSuchCall(request.method, url.pathname);
    }
  }

  const server = await serve({
    port: options.port,
    log: options.log,
    bodies: {
      most: largestBody,
      tooLarge: () => new Response('<html><h1>413 Request Entity Too Large</h1></html>', { status: 413 }),
    },
    async fetch(request) {
      const url = new URL(request.url);
      const call = `${request.method} ${url.pathname}`;
      requests.push(call);
      const fault = faults.calls?.find(({ calls }) => calls.test(call));
      if (fault) return faultyAnswer(fault.answer, request.signal);
      if (call === 'GET /api/v1/system/healthz')
        return Response.json({ db: 'ok', redis: 'ok', status: 'ok' });
      try {
        return await answer(request, url);
      } catch (error) {
        if (error instanceof Refusal) return refusedAs(error);
        options.log.error({ err: error, call }, 'request failed');
        return refusedAs({ code: code.server, message: 'Internal server error' });
      }
    },
  });
  options.log.info({ url: server.origin }, 'dev Ragflow is up');
  return {
    url: server.origin,
    requests,
    misbehave(next) {
      faults = next;
      parsesLeft = next.parses ?? [];
    },
    stop: () => server.close(2_000),
  };
}

const noSuchCall = (method: string, path: string): Refusal =>
  new Refusal(404, `The double does not offer ${method} ${path}`);

const jsonOf = async (request: Request): Promise<unknown> => {
  try {
    return JSON.parse(await request.text());
  } catch {
    throw new Refusal(code.argument, 'Malformed JSON syntax: Missing commas/brackets or invalid encoding');
  }
};
