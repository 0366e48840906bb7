import type { Log } from '@agentstore/kernel/log';
import { serve } from '@agentstore/kernel/http/server';
import { openBarrier, type Barrier } from './barrier.ts';
import { callerOf, capabilitiesOf, tokenEndpoint, type Caller } from './callers.ts';
import { exchangeOf, tokenOf } from './read-request.ts';
import type { Answer, Endpoint, Exchange } from './exchange.ts';
import { jwtEndpoint } from './jwt-auth.ts';
import { logIn } from './log-in.ts';
import { kvEndpoint } from './kv.ts';
import type { Capability } from './policy.ts';
import type { VaultState } from './state.ts';
import { openToAll, sysEndpoint } from './sys.ts';
import { badToken, denied, invalid, sealed, unsupportedOperation, VaultError } from './vault-error.ts';

export interface VaultOptions {
  /** Folder of the one encrypted file; made when it is not there. One server per folder. */
  readonly stateDir: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What the file is sealed with at its first start and must be opened with from then on; any long random text. */
  readonly unsealKey: string;
  /** May do everything; it is not stored. */
  readonly rootToken: string;
  readonly log: Log;
  /** Milliseconds since 1970, for tests of expiry; default the clock. */
  readonly now?: () => number;
}

/** A running dev Vault on 127.0.0.1. */
export interface Vault {
  readonly url: string;
  /** As `sys/seal` does: everything but its state is refused until `sys/unseal` is given the key. */
  seal(): void;
  /** Lets answers under way end for up to two seconds, then seals. */
  stop(): Promise<void>;
}

/** Vault's bound is 32 MiB; ours is of a development machine. */
const largestBody = 1_048_576;

/** Starts the dev Vault, unsealed. Throws when the key does not open what lies in its folder. */
export async function startVault(options: VaultOptions): Promise<Vault> {
  const barrier = openBarrier(options.stateDir, options.unsealKey);
  if (!barrier.unseal(options.unsealKey))
    throw new Error(`the unseal key does not open the dev Vault in ${options.stateDir}`);
  const now = options.now ?? Date.now;

  async function fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    try {
      return respond(await answer(barrier, options.rootToken, request, now()));
    } catch (error) {
      if (!(error instanceof VaultError))
        options.log.error({ err: error, method: request.method, path: pathname }, 'request failed');
      const refusal = error instanceof VaultError ? error : new VaultError(500, 'internal error');
      return respond({ status: refusal.status, body: { errors: refusal.errors } });
    }
  }
  const server = await serve({
    fetch,
    port: options.port,
    log: options.log,
    bodies: {
      most: largestBody,
      tooLarge: () => respond({ status: 413, body: { errors: ['request body too large'] } }),
    },
  });
  options.log.info({ url: server.origin }, 'dev Vault is up');
  return {
    url: server.origin,
    seal: () => barrier.seal(),
    async stop() {
      await server.close(2_000);
      barrier.seal();
    },
  };
}

const respond = ({ status, body }: Answer): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: {
      'cache-control': 'no-store',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
  });

async function answer(barrier: Barrier, rootToken: string, request: Request, now: number): Promise<Answer> {
  const exchange = await exchangeOf(request, now);
  const open = openToAll(barrier, exchange);
  if (open) return open;
  if (barrier.isSealed()) throw sealed();
  if (request.headers.has('x-vault-wrap-ttl')) throw invalid('the dev Vault does not wrap answers');
  const login = /^auth\/([^/]+)\/login$/.exec(exchange.path)?.[1];
  if (login !== undefined) {
    if (!barrier.state().authMounts.has(login)) throw badToken();
    if (!isWrite(exchange)) throw new VaultError(405, 'unsupported operation');
    return logIn(barrier, login, exchange);
  }
  const caller = callerOf(barrier, rootToken, tokenOf(request), now);
  const carryOut = (state: VaultState): Answer => {
    const endpoint = endpointAt(state, barrier, exchange, caller);
    const { needs, run } = operationOf(exchange, endpoint);
    requireAllowed(state, caller, { needs, sudo: endpoint?.needsSudo ?? false, exchange });
    if (!endpoint)
      throw new VaultError(404, `no handler for route "${exchange.path}". route entry not found.`);
    if (!run) throw unsupportedOperation();
    return run();
  };
  const changes = !['GET', 'HEAD', 'LIST'].includes(exchange.method) && exchange.path !== 'sys/seal';
  return changes ? barrier.change(carryOut) : carryOut(barrier.state());
}

const isWrite = ({ method }: Exchange): boolean => method === 'POST' || method === 'PUT';

function endpointAt(
  state: VaultState,
  barrier: Barrier,
  exchange: Exchange,
  caller: Caller,
): Endpoint | undefined {
  const [first = '', second = '', ...rest] = exchange.path.split('/');
  if (first === 'sys') return sysEndpoint(state, barrier, exchange.path.slice('sys/'.length), exchange);
  if (first === 'auth') {
    if (second === 'token') return tokenEndpoint(rest.join('/'), caller, exchange.now);
    const mount = state.authMounts.get(second);
    return mount && jwtEndpoint(mount, rest.join('/'), exchange);
  }
  const mount = state.secretMounts.get(first);
  return mount && kvEndpoint(mount, exchange.path.slice(first.length + 1), exchange);
}

function operationOf(
  exchange: Exchange,
  endpoint: Endpoint | undefined,
): { needs: Capability; run: (() => Answer) | undefined } {
  if (isWrite(exchange))
    return { needs: endpoint?.exists === false ? 'create' : 'update', run: endpoint?.write };
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return { needs: 'read', run: endpoint?.read };
    case 'LIST':
      return { needs: 'list', run: endpoint?.list };
    case 'PATCH':
      return { needs: 'patch', run: endpoint?.patch };
    case 'DELETE':
      return { needs: 'delete', run: endpoint?.delete };
    default:
      throw new VaultError(405);
  }
}

function requireAllowed(
  state: VaultState,
  caller: Caller,
  { needs, sudo, exchange }: { needs: Capability; sudo: boolean; exchange: Exchange },
): void {
  if (caller.kind === 'root') return;
  const list = needs === 'list';
  const may = capabilitiesOf(state, caller.says, list ? `${exchange.path}/` : exchange.path, { list });
  if (!may.has(needs) || (sudo && !may.has('sudo'))) throw denied();
}
