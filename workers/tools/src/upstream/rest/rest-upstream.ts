import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, type Dispatcher } from 'undici';
import { ToolRefusal, type ToolRefusalCode } from '../../calls/refusals.ts';
import { credentialHeader } from '../../connectors/credential.ts';
import {
  routeOf,
  UpstreamRefusal,
  type Upstream,
  type UpstreamAnswer,
  type UpstreamRequest,
} from '../upstream.ts';
import { buildRequest, type RestRequest } from './build-request.ts';
import { readBody, resultOf } from './read-answer.ts';

const mostAttempts = 3;
const passing = new Set([502, 503, 504]);

/** Faults of a connection that was never made: nothing of the request left this process. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Calls an HTTP API as a connector's definition describes it. It answers what it got; a redirect is never followed. */
export function createRestUpstream(): Upstream {
  return {
    check: (request) => void buildRequest(request),
    close: () => Promise.resolve(),
    async call(request) {
      const built = buildRequest(request);
      for (let attempt = 1; ; attempt++) {
        const ended = await once(request, built, attempt);
        if (attempt >= mostAttempts || !mayRepeat(request, built, ended)) return answerOf(ended);
        const pause = 100 * 2 ** attempt * (0.5 + Math.random() / 2);
        if (performance.now() + pause >= request.deadline) return answerOf(ended);
        const paused = await sleep(pause, true, { signal: request.signal }).catch(() => false);
        if (!paused) return answerOf(ended);
      }
    },
  };
}

type Ended = UpstreamAnswer | UpstreamRefusal;

function answerOf(ended: Ended): UpstreamAnswer {
  if (ended instanceof UpstreamRefusal) throw ended;
  return ended;
}

/**
 * True when the same request may be made again: it was never sent, or the upstream said that it did not take it or nothing at all, and a repetition
 * does no harm: it reads, or it carries a key.
 */
function mayRepeat(
  { tool, idempotencyKey, signal }: UpstreamRequest,
  { method }: RestRequest,
  ended: Ended,
): boolean {
  if (signal.aborted) return false;
  const { sent, upstreamStatus } = ended instanceof UpstreamRefusal ? ended.seen : ended;
  if (ended instanceof UpstreamRefusal && ended.code !== 'UPSTREAM_UNAVAILABLE') return false;
  if (!sent) return true;
  const isHarmless = idempotencyKey !== null || (tool.risk === 'READ' && /^(GET|HEAD)$/.test(method));
  return isHarmless && (upstreamStatus === null || passing.has(upstreamStatus));
}

async function once(request: UpstreamRequest, built: RestRequest, attempts: number): Promise<Ended> {
  const { definition, signal } = request;
  const egress = routeOf(request);
  let upstreamStatus: number | null = null;
  let bytesIn = 0;
  let sent = true;
  let incoming: Readable | undefined;
  const facts = () => ({
    method: built.method,
    destination: { origin: egress.origin, address: egress.address() },
    upstreamStatus,
    attempts,
    sent,
    bytesOut: built.body === null ? 0 : Buffer.byteLength(built.body),
    bytesIn,
  });
  try {
    const left = Math.max(1, Math.ceil(request.deadline - performance.now()));
    const answer = await egress.dispatcher.request({
      origin: egress.origin,
      path: built.path,
      method: built.method as Dispatcher.HttpMethod,
      headers: headersOf(request, built),
      body: built.body,
      signal,
      headersTimeout: left,
      bodyTimeout: left,
    });
    incoming = answer.body.on('error', () => undefined); // a body that is not read to its end says so when it is destroyed
    upstreamStatus = answer.statusCode;
    if (upstreamStatus >= 300 && upstreamStatus < 400) throw new ToolRefusal('REDIRECT_BLOCKED');
    const body = await readBody(
      answer.body,
      one(answer.headers['content-encoding']),
      definition.maxResponseBytes,
    );
    bytesIn = body.length;
    const result = resultOf({
      status: upstreamStatus,
      contentType: one(answer.headers['content-type']),
      body,
    });
    return { ...facts(), result };
  } catch (error) {
    sent = !isUnsent(error);
    return new UpstreamRefusal(codeOf(error, request), facts());
  } finally {
    incoming?.destroy();
  }
}

/** The credential comes last and lives as long as the request's headers. */
function headersOf(request: UpstreamRequest, built: RestRequest): Record<string, string> {
  const headers: Record<string, string> = { ...built.headers };
  if (request.idempotencyKey !== null && !/^(GET|HEAD)$/.test(built.method))
    headers['idempotency-key'] = request.idempotencyKey;
  const credential = credentialHeader(request.definition, request.secret);
  if (credential) headers[credential[0]] = credential[1];
  return headers;
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;

const isUnsent = (error: unknown): boolean =>
  error instanceof errors.ConnectTimeoutError ||
  (error instanceof ToolRefusal && ['EGRESS_DENIED', 'BINDING_SECRET_MISSING'].includes(error.code)) ||
  neverSent.has((error as { code?: string }).code ?? '');

function codeOf(error: unknown, { signal }: UpstreamRequest): ToolRefusalCode {
  if (error instanceof ToolRefusal) return error.code;
  if (signal.aborted && (signal.reason as Error | undefined)?.name === 'TimeoutError')
    return 'UPSTREAM_TIMEOUT';
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
    return 'UPSTREAM_TIMEOUT';
  const code = (error as { code?: string }).code ?? '';
  return error instanceof errors.HTTPParserError || /^(Z_|ERR__|HPE_)/.test(code)
    ? 'UPSTREAM_INVALID'
    : 'UPSTREAM_UNAVAILABLE';
}
