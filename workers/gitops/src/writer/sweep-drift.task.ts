import path from 'node:path';
import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import { pruneApplied } from '../applier/applied-resources.store.ts';
import type { Deps } from '../deps.ts';
import { folderOf, idOf, type Desired } from '../desired/desired-state.ts';
import { filesOf } from '../desired/manifests.ts';
import { ownersOf, subjects, type Owner } from '../desired/subjects.ts';
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
    for (const owner of ownersOf(deps))
      await sweep(owner, signal).catch((error: unknown) => {
        if (!signal.aborted) deps.log.warn({ err: error, subject: owner.subject }, 'the sweep broke off');
      });
  }

  async function sweep(owner: Owner, signal: AbortSignal): Promise<void> {
    for (let after: string | undefined; !signal.aborted;) {
      const page: Desired[] = await settled(owner, after, signal);
      await requeue(owner, await drifted(page));
      if (page.length < pageSize) return;
      after = idOf(page.at(-1)!);
    }
  }

  /** What an owner's newest desired state was committed of, in order of its ids. */
  async function settled(
    { client }: Owner,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<Desired[]> {
    const { items } = await client.call<{ items: Desired[] }>(
      'POST',
      '/internal/gitops:settled',
      { after, limit: pageSize },
      { signal },
    );
    return items;
  }

  async function drifted(page: readonly Desired[]): Promise<Desired[]> {
    const found: Desired[] = [];
    for (const state of page) {
      const blobs = await repository.blobsIn(folderOf(deps.environment, state));
      for (const [file, text] of Object.entries(filesOf(deps.environment, state)))
        if (blobs.get(path.basename(file)) !== (await blobIdOf(text))) {
          found.push(state);
          deps.log.warn({ file }, 'the branch drifted from what is desired');
          break;
        }
    }
    return found;
  }

  async function requeue({ subject, client }: Owner, found: readonly Desired[]): Promise<void> {
    if (!found.length) return;
    const { idMember } = subjects[subject];
    await client.call('POST', '/internal/gitops:drifted', {
      items: found.map((state) => ({ [idMember]: idOf(state), generation: state.generation })),
    });
  }
}
