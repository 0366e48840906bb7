import { isIP } from 'node:net';

const peers = new WeakMap<Request, string>();

/** Notes from which address a request came in; the server does so. */
export const notePeer = (request: Request, address: string): void => void peers.set(request, address);

/**
 * The address of whoever asks: the peer's, or behind `proxies` proxies of ours, each of which adds its own peer to the end of X-Forwarded-For, the one that the
 * outermost of them saw. Whatever stands before that one a client may have made up. Undefined for a request that came in by no socket.
 */
export function clientAddress(request: Request, proxies: number): string | undefined {
  const forwarded = (request.headers.get('x-forwarded-for') ?? '').split(',').map((one) => one.trim());
  const seen = proxies > 0 ? (forwarded.at(-proxies) ?? '') : '';
  return isIP(seen) ? seen : peers.get(request);
}
