import { GraphQLError } from 'graphql';
import type { Caller } from '@agentstore/kernel/caller';
import type { OperationContext } from '../execution/operation-context.ts';

/** Watches over the credential of something that goes on for long. */
export interface Authorized {
  /** The caller as it last was. */
  context(): OperationContext;
  stop(): void;
}

/**
 * Calls `end` when the credential expires, or when it is found, by asking every `recheckMs`, that it is refused (an API key was revoked) or is worth less than
 * it was (a membership ended): what was looked at when the stream was opened does not hold any more. That nobody can be asked now is no reason to end.
 */
export function stayAuthorized(
  first: OperationContext,
  recheckMs: number,
  end: (reason: GraphQLError) => void,
): Authorized {
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
    if (isLess(context.identity.caller, first.identity.caller))
      return end(
        coded('ACCESS_CHANGED', 'What you may see has changed; open the stream again with the last seq.'),
      );
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

/** Whether a caller has lost something that they had before. */
function isLess(now: Caller, before: Caller): boolean {
  if (now.kind === 'USER' && before.kind === 'USER')
    return (
      (before.operator && !now.operator) ||
      before.memberships.some(
        ({ organizationId, role }) =>
          !now.memberships.some((one) => one.organizationId === organizationId && one.role === role),
      )
    );
  if (now.kind === 'API_KEY' && before.kind === 'API_KEY')
    return before.scopes.some((scope) => !now.scopes.includes(scope));
  return now.kind !== before.kind;
}

const coded = (code: string, message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code } });
const unauthenticated = (message: string): GraphQLError => coded('UNAUTHENTICATED', message);
