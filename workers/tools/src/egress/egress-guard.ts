import { lookup as lookupAddress, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import { buildConnector, Pool, type Dispatcher } from 'undici';
import { ToolRefusal } from '../calls/refusals.ts';
import type { ToolSettings } from '../settings.ts';
import type { EgressRoute } from '../upstream/upstream.ts';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** By the system's resolver. */
export const systemResolve: Resolve = (hostname) =>
  promisify(lookupAddress)(hostname, { all: true, verbatim: true });

/** A host's name as it is registered: no dot at its end, which would make another name of it, and nothing to fill in. */
const isName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;

/** Thrown by the guard, also at the socket: undici hands it on as the fault of the request. */
export class EgressDenied extends ToolRefusal {
  constructor() {
    super('EGRESS_DENIED');
  }
}

export interface EgressGuard {
  /** Throws EGRESS_DENIED for an origin that may not be called whatever it resolves to. Opens nothing. */
  check(origin: string): void;
  /** The guarded way to an origin that passed `check`. */
  route(origin: string): EgressRoute;
  close(): Promise<void>;
}

/**
 * The one way out. A name is resolved for each connection, all of its addresses must be public, and those that were checked are those that are dialled.
 * An address written as the host never reaches a resolver, so it is checked by itself.
 */
export function createEgressGuard(settings: ToolSettings['egress'], resolve: Resolve): EgressGuard {
  const routes = new LRUCache<string, EgressRoute>({
    max: settings.maxAgents,
    dispose: (route) => void route.dispatcher.close().catch(() => undefined),
  });
  const isExempt = (origin: string): boolean => settings.privateOrigins.includes(origin);

  function check(origin: string): void {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (!url || url.origin !== origin) throw new EgressDenied();
    if (isExempt(origin)) return;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || 443);
    if (
      url.protocol !== 'https:' ||
      !settings.ports.includes(port) ||
      !(isIP(host) === 0 ? isName.test(host) : isPublicAddress(host))
    )
      throw new EgressDenied();
  }

  function open(origin: string): EgressRoute {
    let address: string | null = null;
    const connect = buildConnector({
      timeout: settings.connectMs,
      ...(isExempt(origin) ? {} : { lookup: checkedLookup(resolve) }),
    });
    const pool = new Pool(origin, {
      connections: settings.connectionsPerOrigin,
      pipelining: 1,
      keepAliveTimeout: 10_000,
      connect: (options, callback) =>
        connect(options, (...[error, socket]) => {
          if (socket) address = socket.remoteAddress ?? null;
          if (error) callback(error, null);
          else callback(null, socket);
        }),
    });
    return { origin, dispatcher: pool.compose(onlyTo(origin)), address: () => address };
  }

  return {
    check,
    route(origin) {
      check(origin);
      const known = routes.get(origin);
      if (known) return known;
      const route = open(origin);
      routes.set(origin, route);
      return route;
    },
    async close() {
      const open = [...routes.values()];
      await Promise.all(open.map(({ dispatcher }) => dispatcher.destroy()));
      routes.clear();
    },
  };
}

/** A lookup for `net.connect` that answers checked addresses, or fails when any of them is not public. */
function checkedLookup(resolve: Resolve): LookupFunction {
  const addressesOf = callbackify(async (hostname: string): Promise<[LookupAddress, ...LookupAddress[]]> => {
    const [first, ...others] = await resolve(hostname);
    if (!first || ![first, ...others].every(({ address }) => isPublicAddress(address)))
      throw new EgressDenied();
    return [first, ...others];
  });
  return (hostname, options, callback) =>
    addressesOf(hostname, (error, found) => {
      if (error) callback(error, '');
      else if (options.all) callback(null, found);
      else callback(null, found[0].address, found[0].family);
    });
}

/** A pool dials its own origin whatever it is asked for; whoever asks it for another one is refused instead. */
const onlyTo =
  (origin: string): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    if (options.origin !== undefined && new URL(String(options.origin)).origin !== origin)
      throw new EgressDenied();
    return dispatch(options, handler);
  };
