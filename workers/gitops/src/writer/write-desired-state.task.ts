import { setTimeout as sleep } from 'node:timers/promises';
import { systemScope } from '@agentstore/kernel/access';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Deps } from '../deps.ts';
import { idOf, subjectOf, type Desired, type Queued } from '../desired/desired-state.ts';
import { filesOf, generationIn } from '../desired/manifests.ts';
import { ownersOf, subjectNames, subjects, type Owner, type Subject } from '../desired/subjects.ts';
import { startClaims } from './claim-desired.ts';
import { dueRemovals, forget, noteCommitted, removed, untold } from './committed.store.ts';
import { dropLease, holdLease } from './lease.store.ts';
import { RefConflict, type FileChanges, type Repository } from './repository.ts';

const scope = systemScope('gitops-writer');
const leaseSeconds = 15;

/** Conflicts after which whoever waits is told that the branch is locked. */
const patience = 4;

/**
 * The one writer of the branch: takes what is desired, commits it in a batch, and tells the owners. It holds a lease; other processes
 * stand by. While one commit is written the next batch gathers, so batching needs no timer and a lone edit no wait. Every step may be repeated:
 * the same content makes no commit, and what was committed is told until it is acknowledged.
 */
export function startWriter(
  deps: Deps,
  { repository, holder, onCommit }: { repository: Repository; holder: string; onCommit: () => void },
): Loop {
  let knownFence: bigint | undefined;
  const owners = ownersOf(deps);
  const claims = startClaims({ owners, writerId: holder, log: deps.log });
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
    if (fence === undefined) {
      claims.forget();
      return false;
    }
    if (fence !== knownFence && (await repository.clearLocks()))
      deps.log.warn({ branch: deps.branch }, 'a lock that the former writer left was taken away');
    knownFence = fence;
    await tell();
    const removals = await deps.db.transaction(scope, dueRemovals);
    const items = await claims.take({ wait: !removals.length, signal });
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
    items: readonly Queued[];
    removals: readonly Removal[];
    signal: AbortSignal;
  }): Promise<string> {
    const { items, removals, signal } = batch;
    const changes = changesOf(
      deps.environment,
      items,
      removals.map(({ folder }) => folder),
    );
    const message = messageOf(deps.environment, items, removals);
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
  async function tellDelay(items: readonly Desired[], why: RefConflict): Promise<void> {
    for (const { subject, client } of owners) {
      const delayed = items.filter((state) => subjectOf(state) === subject);
      if (!delayed.length) continue;
      const { idMember } = subjects[subject];
      await client
        .call('POST', '/internal/gitops:delayed', {
          items: delayed.map((state) => ({ [idMember]: idOf(state), generation: state.generation })),
          reason: why.code,
          message: 'The branch is locked by somebody else; the commit waits for it.',
        })
        .catch((error: unknown) => deps.log.warn({ err: error }, 'a delay could not be told'));
    }
  }

  /** Tells every owner; one that is away is told in a later round, and holds up neither the others nor what is written. */
  async function tell(): Promise<void> {
    await Promise.all(
      owners.map((owner) =>
        tellOwner(owner).catch((error: unknown) =>
          deps.log.warn({ err: error, subject: owner.subject }, 'commits could not be told'),
        ),
      ),
    );
  }

  async function tellOwner({ subject, client }: Owner): Promise<void> {
    const committed = await deps.db.transaction(scope, (tx) => untold(tx, subject));
    if (!committed.length) return;
    const items = committed.map(({ instanceId, ...one }) => ({
      ...one,
      [subjects[subject].idMember]: instanceId,
    }));
    await client.call('POST', '/internal/gitops:committed', { items }, { retries: 2 });
    await deps.db.transaction(scope, (tx) =>
      forget(
        tx,
        committed.map(({ outboxId }) => outboxId),
      ),
    );
  }
}

/** A folder that goes with the next commit. */
interface Removal {
  readonly folder: string;
  readonly instanceId: string;
}

/**
 * The files of a batch; of several generations of one subject the newest counts, and the one in the tree too: a writer that comes late takes nothing
 * back.
 */
export function changesOf(
  environment: string,
  states: readonly Desired[],
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
  states: readonly Desired[],
  removals: readonly Removal[],
): string {
  const organizations = new Set(states.map(({ organizationSlug }) => organizationSlug)).size;
  const subject = states.length
    ? `provision(${environment}): ${counted(states.map(subjectOf))} [${organizations} org${organizations === 1 ? '' : 's'}]`
    : `remove(${environment}): ${counted(removals.map(subjectAt))}`;
  return [
    subject,
    '',
    ...states.map((state) => `${subjects[subjectOf(state)].trailer}: ${idOf(state)}@${state.generation}`),
    ...removals.map(({ instanceId }) => `Removed: ${instanceId}`),
    ...[...new Set(states.map(({ actor }) => actor))].map((actor) => `Actor: ${actor}`),
    '',
  ].join('\n');
}

const subjectAt = ({ folder }: Removal): Subject =>
  subjectNames.find((subject) => folder.split('/')[2] === subjects[subject].folder)!;

/** `2 instances, 1 knowledge base` */
const counted = (found: readonly Subject[]): string =>
  subjectNames
    .map((subject) => ({
      word: subjects[subject].words[0],
      count: found.filter((one) => one === subject).length,
    }))
    .filter(({ count }) => count)
    .map(({ word, count }) => `${count} ${word}${count === 1 ? '' : 's'}`)
    .join(', ');
