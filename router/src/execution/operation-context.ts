import type { InternalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import type { Identity } from '../identity/identify.ts';

/** What one operation carries to its subgraphs. */
export interface OperationContext {
  readonly identity: Identity;
  readonly signal: AbortSignal;
  /** The caller's internal token for a subgraph of ours, signed at most once per operation (again after `changed`). */
  bearerFor(subgraph: string): Promise<string>;
  /** Says that a mutation ran: who the caller is may have changed (a new membership), so the next fetch asks again. */
  changed(): void;
}

export function operationContext(options: {
  identity: Identity;
  sign: InternalTokenSigner;
  signal: AbortSignal;
  /** Resolves the caller anew; what is known is used while absent. */
  resolve?: () => Promise<Identity>;
}): OperationContext {
  const tokens = new Map<string, Promise<string>>();
  let current: Promise<Identity> | undefined = Promise.resolve(options.identity);
  return {
    identity: options.identity,
    signal: options.signal,
    bearerFor(subgraph) {
      current ??= options.resolve?.() ?? Promise.resolve(options.identity);
      const token =
        tokens.get(subgraph) ??
        current.then(({ caller }) => options.sign(caller, subgraph)).then((signed) => `Bearer ${signed}`);
      tokens.set(subgraph, token);
      return token;
    },
    changed() {
      tokens.clear();
      current = undefined;
    },
  };
}
