import { systemScope } from '@agentstore/kernel/access';
import { ServiceError } from '@agentstore/kernel/http/client';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
import { ownersOf, subjects, type Owner } from '../desired/subjects.ts';
import {
  claimReports,
  noteReported,
  noteUntold,
  queueRemoval,
  type Report,
} from './applied-resources.store.ts';

const scope = systemScope('gitops-reporter');
const batchSize = 20;

/**
 * Tells the owners what is observed of each instance and knowledge base, again until that is acknowledged. All are told of beside each other: one that its
 * owner does not take waits alone.
 */
export function startReporter(room: Room): Loop {
  return startLoop({ name: 'gitops-reporter', log: room.log, everyMs: 1_000, work: round });

  async function round(): Promise<boolean> {
    const full = await Promise.all(
      ownersOf(room).map(async (owner) => {
        const due = await room.db.transaction(scope, (tx) => claimReports(tx, owner.subject, batchSize));
        await Promise.all(due.map((one) => report(owner, one)));
        return due.length === batchSize;
      }),
    );
    return full.includes(true);
  }

  async function report(owner: Owner, due: Report): Promise<void> {
    let state: string | undefined;
    try {
      state = await tell(owner, due);
    } catch (error) {
      room.log.warn(
        { err: error, instanceId: due.instanceId, attempts: due.attempts + 1 },
        'report not taken',
      );
      await room.db.transaction(scope, (tx) => noteUntold(tx, due.instanceId));
      return;
    }
    await room.db.transaction(scope, async (tx) => {
      await noteReported(tx, due.instanceId, due.version);
      if (state === subjects[owner.subject].gone && due.resources.length)
        await queueRemoval(tx, due.folder, due.instanceId);
    });
  }

  /** Its state; undefined when the owner knows nothing of the kind, which will not change by telling it again. */
  async function tell(
    { subject, client }: Owner,
    { instanceId, generation, commit, resources }: Report,
  ): Promise<string | undefined> {
    try {
      const { state } = await client.call<{ state: string }>(
        'POST',
        subjects[subject].conditionsAt(instanceId),
        {
          observedGeneration: generation,
          commit,
          resources: resources.map(({ kind, name, conditions }) => ({ kind, name, conditions })),
        },
        { deadlineMs: 10_000 },
      );
      return state;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 404) throw error;
      room.log.warn({ subject, instanceId }, 'Git has something that its owner does not know');
      return undefined;
    }
  }
}
