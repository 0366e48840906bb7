import { decodeProtectedHeader, errors } from 'jose';
import { AccessError } from '@agentstore/kernel/access';
import { widgetTokenVerifier } from '@agentstore/kernel/auth/widget-token';
import type { Caller, WidgetCaller } from '@agentstore/kernel/caller';
import { ServiceError } from '@agentstore/kernel/http/client';
import type { WidgetSessionCheck } from '@agentstore/kernel/widget-session';
import type { Deps } from '../deps.ts';
import { isSameSite } from './origin.ts';

/** A widget's token is not good, or not any more. `close` is how its connection ends (widget/PROTOCOL.md §2). */
export class VisitorError extends AccessError {
  readonly close: { readonly code: 4401 | 4403; readonly reason: string };
  constructor(message: string, close: VisitorError['close']) {
    super('UNAUTHENTICATED', message);
    this.close = close;
  }
}

/** The client asks for another session, and is told there what there is to tell. */
const expired = (message: string): VisitorError =>
  new VisitorError(message, { code: 4403, reason: 'Session expired' });
const revoked = (message: string): VisitorError =>
  new VisitorError(message, { code: 4401, reason: 'Session revoked' });

/** Whether a bearer says of itself that it is a widget's. */
export function isWidgetToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === 'agentstore-widget+jwt';
  } catch {
    return false;
  }
}

/** Who holds a widget's token: verified here, and its session asked for at the control plane. Throws VisitorError. */
export function createVisitorIdentifier(
  deps: Pick<Deps, 'internalJwks' | 'controlPlane'>,
): (token: string) => Promise<{ readonly caller: WidgetCaller; readonly expiresAt: number }> {
  const verify = widgetTokenVerifier(deps.internalJwks);
  return async (token) => {
    const { grant, expiresAt } = await verify(token).catch((error: unknown) => {
      throw expired(
        error instanceof errors.JWTExpired
          ? 'The token of the widget has expired.'
          : 'The token of the widget is not valid here.',
      );
    });
    const check: WidgetSessionCheck = { sessionId: grant.sessionId };
    try {
      await deps.controlPlane.call('POST', '/internal/widget-sessions:verify', check, {
        deadlineMs: 3_000,
        retries: 1,
      });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      if (error.code === 'INSTANCE_PAUSED') throw expired('The agent is paused.');
      if (error.code === 'SESSION_REVOKED') throw revoked('The session of the widget was ended.');
      throw error;
    }
    return { caller: { kind: 'WIDGET_SESSION', ...grant }, expiresAt };
  };
}

/** Throws VisitorError for a visitor whose request comes from another site than their token's, or from none. Everybody else may come from anywhere. */
export function requireOwnSite(caller: Caller, origin: string | null | undefined): void {
  if (caller.kind === 'WIDGET_SESSION' && !isSameSite(origin, caller.origin))
    throw expired('The token of the widget is for another site.');
}
