import { setTimeout as sleep } from 'node:timers/promises';
import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import type { DesiredState, QueuedState } from '../desired/desired-state.ts';
import { filesOf, generationIn } from '../desired/manifests.ts';
import { dueRemovals, forget, noteCommitted, removed, untold } from './committed.store.ts';
import { dropLease, holdLease } from './lease.store.ts';
import { RefConflict, type FileChanges, type Repository } from './repository.ts';

const scope = systemScope('gitops-writer');
const leaseSeconds = 15;
const batchSize = 200;

/** Conflicts after which whoever waits is told that the branch is locked. */
const patience = 4;

/**
 * The one writer of the branch: takes what is desired, commits it in a batch, and tells the control plane. It holds a lease; other processes
 * stand by. While one commit is written the next batch gathers, so batching needs no timer and a lone edit no wait. Every step may be repeated:
 * the same content makes no commit, and what was committed is told until it is acknowledged.
 */
export function startWriter(
  deps: Deps,
  { repository, holder, onCommit }: { repository: Repository; holder: string; onCommit: () => void },
): Loop {
  let knownFence: bigint | undefined;
  const loop = startLoop({ name: 'gitops-writer', log: deps.log, everyMs: 1_000, work: round });
  return {
    wake: () => loop.wake(),
    async stop() {
      await loop.stop();
      await deps.db.transaction(scope, (tx) => dropLease(tx, deps.branch, holder)).catch(() => undefined);
    },
  };

  async function round(signal: AbortSignal): Promise<boolean> {
    const fence = await hold();
    if (fence === undefined) return false;
    if (fence !== knownFence && (await repository.clearLocks()))
      deps.log.warn({ branch: deps.branch }, 'a lock that the former writer left was taken away');
    knownFence = fence;
    await tell();
    const removals = await deps.db.transaction(scope, dueRemovals);
    const { items } = await deps.controlPlane.call<{ items: QueuedState[] }>(
      'POST',
      '/internal/gitops:claim',
      { writerId: holder, limit: batchSize, waitMs: removals.length ? 0 : 5_000 },
      { deadlineMs: 8_000, signal },
    );
    if (!items.length && !removals.length) return true;
    const commit = await write({ fence, items, removals, signal });
    await deps.db.transaction(scope, async (tx) => {
      await noteCommitted(tx, items, commit);
      await removed(
        tx,
        removals.map(({ folder }) => folder),
      );
    });
    try {
      await tell(); // first: what is observed of a commit is told after the commit itself
    } finally {
      onCommit();
    }
    return true;
  }

  function hold(): Promise<bigint | undefined> {
    return deps.db.transaction(scope, (tx) =>
      holdLease(tx, { branch: deps.branch, holder, seconds: deps.leaseSeconds ?? leaseSeconds }),
    );
  }

  /**
   * Writes the batch, again on a conflict with somebody else's push, and for as long as the branch is locked; stops when the lease was lost in between.
   */
  async function write(batch: {
    fence: bigint;
    items: readonly QueuedState[];
    removals: readonly { folder: string; instanceId: string }[];
    signal: AbortSignal;
  }): Promise<string> {
    const { items, removals, signal } = batch;
    const changes = changesOf(
      deps.environment,
      items,
      removals.map(({ folder }) => folder),
    );
    const message = messageOf(
      deps.environment,
      items,
      removals.map(({ instanceId }) => instanceId),
    );
    for (let attempt = 1; ; attempt++) {
      try {
        if ((await hold()) !== batch.fence) throw new Error('the lease of the branch was lost');
        const { commit, changed } = await repository.commit(changes, message, {
          name: 'Agent Store',
          email: 'gitops@agentstore.dev',
        });
        if (changed) deps.log.info({ commit, files: changes.size, attempt }, 'desired state committed');
        return commit;
      } catch (error) {
        if (!(error instanceof RefConflict) || (error.code === 'REF_MOVED' && attempt >= 8)) throw error;
        deps.log.warn({ code: error.code, attempt }, 'the branch is contended');
        if (error.code === 'REPOSITORY_LOCKED' && attempt === patience) await tellDelay(items, error);
        await sleep(Math.min(1_000, Math.random() * 50 * 2 ** attempt), undefined, { signal });
      }
    }
  }

  /** Says to whoever waits why they do. */
  async function tellDelay(items: readonly DesiredState[], why: RefConflict): Promise<void> {
    if (!items.length) return;
    await deps.controlPlane
      .call('POST', '/internal/gitops:delayed', {
        items: items.map(({ instanceId, generation }) => ({ instanceId, generation })),
        reason: why.code,
        message: 'The branch is locked by somebody else; the commit waits for it.',
      })
      .catch((error: unknown) => deps.log.warn({ err: error }, 'a delay could not be told'));
  }

  async function tell(): Promise<void> {
    const items = await deps.db.transaction(scope, untold);
    if (!items.length) return;
    await deps.controlPlane.call('POST', '/internal/gitops:committed', { items }, { retries: 2 });
    await deps.db.transaction(scope, (tx) =>
      forget(
        tx,
        items.map(({ outboxId }) => outboxId),
      ),
    );
  }
}

/**
 * The files of a batch; of several generations of one instance the newest counts, and the one in the tree too: a writer that comes late takes nothing
 * back.
 */
export function changesOf(
  environment: string,
  states: readonly DesiredState[],
  removedFolders: readonly string[],
): FileChanges {
  const changes = new Map<string, null | ((before: string | undefined) => string)>(
    removedFolders.map((folder) => [`${folder}/`, null]),
  );
  for (const state of [...states].sort((a, b) => a.generation - b.generation))
    for (const [file, text] of Object.entries(filesOf(environment, state)))
      changes.set(file, (before) =>
        before !== undefined && generationIn(before) > state.generation ? before : text,
      );
  return changes;
}

/** Subject for people, trailers for recovery and audit. */
export function messageOf(
  environment: string,
  states: readonly DesiredState[],
  removals: readonly string[],
): string {
  const organizations = new Set(states.map(({ organizationSlug }) => organizationSlug)).size;
  const subject = states.length
    ? `provision(${environment}): ${states.length} instance${states.length === 1 ? '' : 's'} [${organizations} org${organizations === 1 ? '' : 's'}]`
    : `remove(${environment}): ${removals.length} instance${removals.length === 1 ? '' : 's'}`;
  return [
    subject,
    '',
    ...states.map(({ instanceId, generation }) => `Instance: ${instanceId}@${generation}`),
    ...removals.map((instanceId) => `Removed: ${instanceId}`),
    ...[...new Set(states.map(({ actor }) => actor))].map((actor) => `Actor: ${actor}`),
    '',
  ].join('\n');
}
