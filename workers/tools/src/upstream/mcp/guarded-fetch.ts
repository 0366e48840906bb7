import type { FetchLike } from '@modelcontextprotocol/client';
import { Readable } from 'node:stream';
import { webBodyOf } from '@agentstore/kernel/http/web-body';
import { credentialHeader } from '../../connectors/credential.ts';
import { ToolRefusal, type ToolRefusalCode } from '../../calls/refusals.ts';
import { routeOf, type UpstreamFacts, type UpstreamRequest } from '../upstream.ts';

/** What one call's HTTP came to, kept as it happens. */
export interface Wire {
  /** Every request of an MCP client goes through it. */
  readonly fetch: FetchLike;
  /** Aborted when the call is over before its end: the caller's reason, or what broke. */
  readonly signal: AbortSignal;
  /** Why no answer can come any more; undefined while one can. */
  broke(): ToolRefusalCode | undefined;
  facts(sent: boolean): UpstreamFacts;
}

/**
 * HTTP of one call to an upstream MCP server: only its own origin, only through the egress guard, no redirect, each body at most what the connector allows, and the credential
 * with every request. What breaks is kept here, because an MCP client tells only that something did. Throws BINDING_SECRET_MISSING.
 */
export function openWire(request: UpstreamRequest): Wire {
  const { definition, secret, signal: caller } = request;
  const egress = routeOf(request);
  const credential = credentialHeader(definition, secret);
  const gone = new AbortController();
  const signal = AbortSignal.any([caller, gone.signal]);
  let why: ToolRefusalCode | undefined;
  const seen = { status: null as number | null, bytesIn: 0, bytesOut: 0 };

  const fail = (code: ToolRefusalCode): Error => {
    why ??= code;
    gone.abort();
    return new Error(why);
  };

  async function* bounded(body: Readable): AsyncGenerator<Uint8Array> {
    let size = 0;
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        seen.bytesIn += chunk.length;
        if (size > definition.maxResponseBytes) throw fail('RESPONSE_TOO_LARGE');
        yield chunk;
      }
    } catch (error) {
      if (signal.aborted) throw error;
      throw fail('UPSTREAM_UNAVAILABLE');
    }
  }

  const fetch: FetchLike = async (input, init = {}) => {
    const url = new URL(input);
    if (url.origin !== egress.origin || url.origin !== definition.origin) throw fail('EGRESS_DENIED');
    const method = init.method ?? 'GET';
    // The stream on which a server of 2025 may speak unasked: nobody here listens.
    if (method === 'GET') return new Response(null, { status: 405 });
    const body = typeof init.body === 'string' ? init.body : null;
    const headers = new Headers(init.headers);
    if (credential) headers.set(...credential);
    headers.set('accept-encoding', 'identity');
    seen.bytesOut += body === null ? 0 : Buffer.byteLength(body);
    const answer = await egress.dispatcher
      .request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: Object.fromEntries(headers),
        body,
        signal: init.signal ? AbortSignal.any([signal, init.signal]) : signal,
      })
      .catch((error: unknown) => {
        throw signal.aborted || init.signal?.aborted ? error : fail(codeOf(error));
      });
    answer.body.on('error', () => undefined); // one that is destroyed before its end says so, which would end the process
    seen.status = answer.statusCode;
    const incoming = answer.body.on('error', () => undefined); // a body that is not read to its end says so when it is destroyed
    const fault = faultOf(answer.statusCode, answer.headers['content-encoding']);
    const isEmpty = [204, 205].includes(answer.statusCode);
    if (fault || isEmpty) incoming.destroy();
    if (fault) throw fail(fault);
    return new Response(isEmpty ? null : webBodyOf(Readable.from(bounded(incoming), { objectMode: false })), {
      status: answer.statusCode,
      headers: headersOf(answer.headers),
    });
  };

  return {
    fetch,
    signal,
    broke: () => why,
    facts: (sent) => ({
      method: 'tools/call',
      destination: { origin: egress.origin, address: egress.address() },
      upstreamStatus: seen.status,
      attempts: 1,
      sent,
      bytesOut: seen.bytesOut,
      bytesIn: seen.bytesIn,
    }),
  };
}

/** The egress guard's own refusal comes as the fault of the request. */
const codeOf = (error: unknown): ToolRefusalCode =>
  error instanceof ToolRefusal ? error.code : 'UPSTREAM_UNAVAILABLE';

/** Why an answer is none whatever its body says. */
function faultOf(status: number, encoding: string | string[] = 'identity'): ToolRefusalCode | undefined {
  if (status >= 300 && status < 400) return 'REDIRECT_BLOCKED';
  return status < 200 || status > 599 || encoding !== 'identity' ? 'UPSTREAM_INVALID' : undefined;
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) headers.append(name, one);
  return headers;
}
