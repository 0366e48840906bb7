import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** W3C Trace Context of the request being served: `00-<trace id>-<parent id>-01`. */
const current = new AsyncLocalStorage<string>();

/** The traceparent to send on; undefined outside a request. */
export const activeTrace = (): string | undefined => current.getStore();

/** The trace id (32 hex digits) of the request being served, for logs and masked errors. */
export const activeTraceId = (): string | undefined => current.getStore()?.slice(3, 35);

/** Runs `work` under the request's traceparent, or a new one when it has none or a malformed one. */
export function withTrace<T>(traceparent: string | null, work: () => T): T {
  const valid = traceparent !== null && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent);
  return current.run(
    valid ? traceparent : `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    work,
  );
}
