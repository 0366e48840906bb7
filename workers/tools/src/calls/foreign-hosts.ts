import { problemResponse } from '@agentstore/kernel/http/problem';
import type { ToolSettings } from '../settings.ts';

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Paths of our own services, which come under whatever name they know; they want a service's token, which no page has. Every other path is one that a browser
 * could be led to by a page elsewhere whose name was made to point here; they are not named, because what is routed is the path as it is decoded.
 */
const unguarded = /^\/(health|readiness|internal)(\/|$)/;

/**
 * Refuses a request whose Host or Origin is not ours, before anything of it is read (DNS rebinding). The Host is the one in the request's URL, which
 * the server makes from the header.
 */
export function refuseForeignHosts(
  settings: Pick<ToolSettings, 'publicOrigin' | 'allowedHosts'>,
  next: Handler,
): Handler {
  const hosts = new Set([new URL(settings.publicOrigin).host, ...settings.allowedHosts]);
  const isOurs = (origin: string | null): boolean =>
    origin === null || (URL.canParse(origin) && hosts.has(new URL(origin).host));
  return (request) => {
    const url = new URL(request.url);
    if (!unguarded.test(url.pathname) && !(hosts.has(url.host) && isOurs(request.headers.get('origin'))))
      return problemResponse({
        status: 403,
        code: 'FOREIGN_HOST',
        title: 'This host or origin is not one that the gateway serves.',
      });
    return next(request);
  };
}
