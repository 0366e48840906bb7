import type { InternalTokenSigner } from '@agentstore/kernel/auth/internal-token';
import type { Identifier, Identity } from '../identity/identify.ts';

/** What one operation carries to its subgraphs. */
export interface OperationContext {
  readonly identity: Identity;
  readonly signal: AbortSignal;
  /** The caller's internal token for a subgraph of ours, signed at most once per operation (again after `changed`). */
  bearerFor(subgraph: string): Promise<string>;
  /** Says that a mutation ran: who the caller is may have changed (a new membership), so the next fetch asks again. */
  changed(): void;
  /** The same caller with tokens signed anew: a subscription outlives the minute they are good for. */
  resigned(): OperationContext;
  /** Asks anew who holds the credential. Throws UNAUTHENTICATED when it ended. */
  renewed(): Promise<OperationContext>;
}

interface ContextOptions {
  readonly identifier: Identifier;
  readonly sign: InternalTokenSigner;
  /** Value of the authorization header, or of the connection's payload. */
  readonly authorization: string | null | undefined;
  /** Value of the Origin header of the request, or of the connection's handshake. */
  readonly origin: string | null | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** The context of one operation of whoever holds this credential. Throws UNAUTHENTICATED for one that does not hold. */
export async function operationContext(
  options: ContextOptions,
  { anew = false } = {},
): Promise<OperationContext> {
  return contextOf(
    await options.identifier.identify(options.authorization, { anew, origin: options.origin }),
    options,
  );
}

function contextOf(identity: Identity, options: ContextOptions): OperationContext {
  const { identifier, authorization, origin, sign, signal } = options;
  const tokens = new Map<string, Promise<string>>();
  let current: Promise<Identity> | undefined = Promise.resolve(identity);
  return {
    identity,
    signal,
    bearerFor(subgraph) {
      current ??= identifier.identify(authorization, { origin });
      const token =
        tokens.get(subgraph) ??
        current.then(({ caller }) => sign(caller, subgraph)).then((signed) => `Bearer ${signed}`);
      tokens.set(subgraph, token);
      return token;
    },
    changed() {
      identifier.forget(authorization);
      tokens.clear();
      current = undefined;
    },
    resigned: () => contextOf(identity, options),
    renewed: () => operationContext(options, { anew: true }),
  };
}
