import { randomBytes } from 'node:crypto';
import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import { folderOf, type DesiredState } from '../desired/desired-state.ts';
import { fileOf, manifestsOf, yamlOf } from '../desired/manifests.ts';
import { dueRemovals, forget, noteCommitted, removed, untold } from './committed.store.ts';
import { dropLease, holdLease } from './lease.store.ts';
import { RefConflict, type FileChanges, type Repository } from './repository.ts';

const scope = systemScope('gitops-writer');
const leaseSeconds = 15;
const batchSize = 200;

/**
 * The one writer of the branch: takes what is desired, commits it in a batch, and tells the control plane. It holds a lease; other processes
 * stand by. While one commit is written the next batch gathers, so batching needs no timer and a lone edit no wait. Every step may be repeated:
 * the same content makes no commit, and what was committed is told until it is acknowledged.
 */
export function startWriter(deps: Deps, repository: Repository, onCommit: () => void): Loop {
  const holder = randomBytes(8).toString('hex');
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
    await tell();
    const removals = await deps.db.transaction(scope, dueRemovals);
    const { items } = await deps.controlPlane.call<{ items: DesiredState[] }>(
      'POST',
      '/internal/gitops:claim',
      { writerId: holder, limit: batchSize, waitMs: removals.length ? 0 : 5_000 },
      { deadlineMs: 8_000, signal },
    );
    if (!items.length && !removals.length) return true;
    const changes = changesOf(
      deps.environment,
      items,
      removals.map(({ folder }) => folder),
    );
    const commit = await write(
      fence,
      changes,
      messageOf(
        deps.environment,
        items,
        removals.map(({ instanceId }) => instanceId),
      ),
    );
    await deps.db.transaction(scope, async (tx) => {
      await noteCommitted(tx, items, commit);
      await removed(
        tx,
        removals.map(({ folder }) => folder),
      );
    });
    onCommit();
    await tell();
    return true;
  }

  function hold(): Promise<bigint | undefined> {
    return deps.db.transaction(scope, (tx) =>
      holdLease(tx, { branch: deps.branch, holder, seconds: deps.leaseSeconds ?? leaseSeconds }),
    );
  }

  /** Writes the batch, again on a conflict with somebody else's push; stops when the lease was lost in between. */
  async function write(fence: bigint, changes: FileChanges, message: string): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        if ((await hold()) !== fence) throw new Error('the lease of the branch was lost');
        const { commit, changed } = await repository.commit(changes, message, {
          name: 'Agent Store',
          email: 'gitops@agentstore.dev',
        });
        if (changed) deps.log.info({ commit, files: changes.size, attempt }, 'desired state committed');
        return commit;
      } catch (error) {
        if (!(error instanceof RefConflict) || attempt >= 8) throw error;
        deps.log.warn({ code: error.code, attempt }, 'the branch is contended');
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * 2 ** attempt));
      }
    }
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

/** The files of a batch; of several generations of one instance the newest counts. */
export function changesOf(
  environment: string,
  states: readonly DesiredState[],
  removedFolders: readonly string[],
): FileChanges {
  const changes = new Map<string, string | null>(removedFolders.map((folder) => [`${folder}/`, null]));
  for (const state of [...states].sort((a, b) => a.generation - b.generation))
    for (const manifest of manifestsOf(state))
      changes.set(`${folderOf(environment, state)}/${fileOf(manifest.kind)}`, yamlOf(manifest));
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
