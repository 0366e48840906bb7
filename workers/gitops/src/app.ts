import { randomBytes } from 'node:crypto';
import type { App } from '@agentstore/kernel/app';
import { createChanges } from '@agentstore/kernel/changes';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Loop } from '@agentstore/kernel/loop';
import { appliedRoutes } from './applier/applied.http.ts';
import { startApplier } from './applier/apply-branch.task.ts';
import { startObserver } from './applier/observe-resources.task.ts';
import { startReporter } from './applier/report-subjects.task.ts';
import type { Deps, Room } from './deps.ts';
import { openRepository } from './writer/repository.ts';
import { startSweep } from './writer/sweep-drift.task.ts';
import { startWriter } from './writer/write-desired-state.task.ts';

/** A lock on the branch older than this was left by a process that died. */
const staleLockMs = 60_000;

/** The gitops worker: writes desired state to Git, applies the branch, watches readiness. */
export function createApp(deps: Deps): App {
  const room: Room = {
    ...deps,
    appliedChanges: createChanges({ database: deps.db, channels: ['gitops_applied'], log: deps.log }),
  };
  const http = createServiceApp({
    log: deps.log,
    authenticate: deps.authenticate,
    ready: async () => void (await deps.db.statement('ready', 'select 1')),
  });
  appliedRoutes(http, room);
  let loops: Loop[] = [];
  return {
    name: 'gitops',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await room.appliedChanges.start();
      const holder = randomBytes(8).toString('hex');
      const repository = await openRepository({
        directory: deps.repository,
        branch: deps.branch,
        staleLockMs,
        holder,
      });
      const reporter = startReporter(room);
      const observer = startObserver(room, () => reporter.wake());
      const applier = startApplier(room, repository, () => {
        observer.wake();
        reporter.wake();
      });
      const writer = startWriter(deps, { repository, holder, onCommit: () => applier.wake() });
      loops = [startSweep(deps, { repository, holder }), writer, applier, observer, reporter];
    },
    async stop() {
      await Promise.all([room.appliedChanges.stop(), ...loops.map((loop) => loop.stop())]);
    },
  };
}
