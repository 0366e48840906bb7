import type { Identity } from '../identity/identify.ts';
import type { InternalTokenSigner } from '@agentstore/kernel/auth/internal-token';

/** What one operation carries to its subgraphs. */
export interface OperationContext {
  readonly identity: Identity;
  readonly signal: AbortSignal;
  /** The caller's internal token for a subgraph of ours, signed at most once per operation. */
  bearerFor(subgraph: string): Promise<string>;
}

export function operationContext(
  identity: Identity,
  sign: InternalTokenSigner,
  signal: AbortSignal,
): OperationContext {
  const tokens = new Map<string, Promise<string>>();
  return {
    identity,
    signal,
    bearerFor(subgraph) {
      const token =
        tokens.get(subgraph) ?? sign(identity.caller, subgraph).then((signed) => `Bearer ${signed}`);
      tokens.set(subgraph, token);
      return token;
    },
  };
}
