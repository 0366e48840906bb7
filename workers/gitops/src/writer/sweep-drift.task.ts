import path from 'node:path';
import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import { pruneApplied } from '../applier/applied-resources.store.ts';
import type { Deps } from '../deps.ts';
import { folderOf, type DesiredState } from '../desired/desired-state.ts';
import { filesOf } from '../desired/manifests.ts';
import { holdsLease } from './lease.store.ts';
import { blobIdOf, type Repository } from './repository.ts';

const scope = systemScope('gitops-sweep');
const pageSize = 200;
const standardEveryMs = 600_000;

/**
 * Compares, slowly and always again, what should be with what the branch holds: a file that somebody changed, lost or took away, a repository that was
 * put back to an older state. Differences are recorded and put in line again, so that the writer overwrites them. Also ends old tombstones.
 */
export function startSweep(
  deps: Deps,
  { repository, holder }: { repository: Repository; holder: string },
): Loop {
  const everyMs = deps.sweepEveryMs ?? standardEveryMs;
  let last = Number.NEGATIVE_INFINITY;
  return startLoop({ name: 'gitops-sweep', log: deps.log, everyMs: Math.min(5_000, everyMs), work: round });

  async function round(signal: AbortSignal): Promise<void> {
    if (Date.now() - last < everyMs) return;
    if (!(await deps.db.transaction(scope, (tx) => holdsLease(tx, deps.branch, holder)))) return;
    last = Date.now();
    await deps.db.transaction(scope, pruneApplied);
    for (let after: string | undefined; !signal.aborted;) {
      const page: DesiredState[] = await settled(after, signal);
      await requeue(await drifted(page));
      after = page.at(-1)?.instanceId;
      if (page.length < pageSize) return;
    }
  }

  /** Instances whose newest desired state was committed, in order of their ids. */
  async function settled(after: string | undefined, signal: AbortSignal): Promise<DesiredState[]> {
    const { items } = await deps.controlPlane.call<{ items: DesiredState[] }>(
      'POST',
      '/internal/gitops:settled',
      { after, limit: pageSize },
      { signal },
    );
    return items;
  }

  async function drifted(page: readonly DesiredState[]): Promise<DesiredState[]> {
    const found: DesiredState[] = [];
    for (const state of page) {
      const blobs = await repository.blobsIn(folderOf(deps.environment, state));
      for (const [file, text] of Object.entries(filesOf(deps.environment, state)))
        if (blobs.get(path.basename(file)) !== (await blobIdOf(text))) {
          found.push(state);
          deps.log.warn({ file, instanceId: state.instanceId }, 'the branch drifted from what is desired');
          break;
        }
    }
    return found;
  }

  async function requeue(found: readonly DesiredState[]): Promise<void> {
    if (!found.length) return;
    await deps.controlPlane.call('POST', '/internal/gitops:drifted', {
      items: found.map(({ instanceId, generation }) => ({ instanceId, generation })),
    });
  }
}
