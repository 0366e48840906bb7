import type { WebSocket } from 'ws';
import type { Identifier, Identity } from '../identity/identify.ts';
import { VisitorError } from './identify-visitor.ts';

/** An identifier for what comes over one connection: a visitor who is refused loses it at once, whatever it was that asked. */
export const onConnection = (identifier: Identifier, socket: Pick<WebSocket, 'close'>): Identifier => ({
  ...identifier,
  async identify(authorization, options) {
    try {
      return await identifier.identify(authorization, options);
    } catch (error) {
      if (error instanceof VisitorError) socket.close(error.close.code, error.close.reason);
      throw error;
    }
  },
});

/** Asks every `recheckMs`, and when the token ends, whether a visitor is still one, although nothing comes over the connection. That nobody can be asked now is no reason to end it. */
export function watchVisitor(
  { caller, expiresAt = Infinity }: Identity,
  by: {
    readonly socket: WebSocket;
    readonly recheckMs: number;
    readonly ask: () => Promise<unknown>;
  },
): void {
  if (caller.kind !== 'WIDGET_SESSION') return;
  const { socket, recheckMs, ask } = by;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    if (socket.readyState !== socket.OPEN) return;
    timer = setTimeout(check, Math.max(0, Math.min(recheckMs, expiresAt - Date.now())));
  };
  const check = (): void => void ask().then(wait, wait);
  socket.once('close', () => clearTimeout(timer));
  wait();
}
