import { GraphQLError } from 'graphql';
import type { OperationContext } from '../execution/operation-context.ts';

/** How often it is asked whether a credential still holds (an API key may be revoked, a membership ended). */
const recheckMs = 30_000;

/** Watches over the credential of something that goes on for long. */
export interface Authorized {
  /** The caller as it last was. */
  context(): OperationContext;
  stop(): void;
}

/** Calls `end` when the credential expires or is refused. That nobody can be asked now is no reason to end. */
export function stayAuthorized(first: OperationContext, end: (reason: GraphQLError) => void): Authorized {
  let context = first;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const leftMs = (): number => (context.identity.expiresAt ?? Infinity) - Date.now();
  const wait = (): void => {
    timer = setTimeout(() => void check(), Math.max(0, Math.min(leftMs(), recheckMs)));
  };

  async function check(): Promise<void> {
    if (leftMs() <= 0)
      return end(unauthenticated('The token has expired; sign in again and go on with the last seq.'));
    try {
      context = await context.renewed();
    } catch (error) {
      if ((error as { code?: string }).code === 'UNAUTHENTICATED')
        return end(unauthenticated((error as Error).message));
    }
    if (!stopped) wait();
  }

  if (first.identity.caller.kind !== 'ANONYMOUS') wait();
  return {
    context: () => context,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

const unauthenticated = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'UNAUTHENTICATED' } });
