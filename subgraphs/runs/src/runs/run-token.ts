import type { Room } from '../deps.ts';
import type { ClaimedRun } from './owned-runs.store.ts';

/** Seconds that a token outlives its run, so that the last tool call is refused for its run's end and not for the clock. */
const graceSeconds = 30;

/**
 * The token with which a run calls tools while that owner (its origin) has it; without tools, it may list none. Null for a run of no project, and for
 * grants that cannot be signed: its tools then refuse it, and the other runs of the claim are not held up.
 */
export async function runTokenOf(
  { signRunToken, log }: Pick<Room, 'signRunToken' | 'log'>,
  run: ClaimedRun,
  owner: string,
): Promise<string | null> {
  const { organizationId, projectId, instanceId, runId, fence, toolGrants } = run;
  if (projectId === null) return null;
  const grant = { organizationId, projectId, instanceId, runId, fence, owner };
  try {
    return await signRunToken(
      { ...grant, tools: [...toolGrants.tools], bindings: [...toolGrants.bindings] },
      run.remainingMs / 1_000 + graceSeconds,
    );
  } catch (error) {
    log.error({ err: error, runId }, 'the run gets no token for its tools');
    return null;
  }
}
