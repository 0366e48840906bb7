import { systemScope } from '@agentstore/kernel/access';
import { ServiceError } from '@agentstore/kernel/http/client';
import { startLoop, type Loop } from '@agentstore/kernel/loop';
import type { Room } from '../deps.ts';
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
 * Tells the control plane what is observed of each instance, again until that is acknowledged. Instances are told of beside each other: one that the
 * control plane does not take waits alone.
 */
export function startReporter(room: Room): Loop {
  return startLoop({ name: 'gitops-reporter', log: room.log, everyMs: 1_000, work: round });

  async function round(): Promise<boolean> {
    const due = await room.db.transaction(scope, (tx) => claimReports(tx, batchSize));
    await Promise.all(due.map(report));
    return due.length === batchSize;
  }

  async function report(due: Report): Promise<void> {
    let state: string | undefined;
    try {
      state = await tell(due);
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
      if (state === 'TERMINATED') await queueRemoval(tx, due.resources[0]!.folder, due.instanceId);
    });
  }

  /** The instance's state; undefined when the control plane knows no such instance, which will not change by telling it again. */
  async function tell({ instanceId, resources }: Report): Promise<string | undefined> {
    try {
      const { state } = await room.controlPlane.call<{ state: string }>(
        'POST',
        `/internal/instances/${instanceId}/conditions`,
        {
          observedGeneration: Math.min(...resources.map(({ generation }) => generation)),
          commit: resources[0]!.commit,
          resources: resources.map(({ kind, name, conditions }) => ({ kind, name, conditions })),
        },
        { deadlineMs: 10_000 },
      );
      return state;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 404) throw error;
      room.log.warn({ instanceId }, 'Git has an instance that the control plane does not know');
      return undefined;
    }
  }
}
