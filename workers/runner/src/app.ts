import type { App } from '@agentstore/kernel/app';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Deps, Room } from './deps.ts';
import { RuntimeMismatch } from './langflow/runtime-client.ts';
import { startRunLoop, type RunLoop } from './runs/claim-runs.task.ts';
import { toolCallRoutes } from './runs/tool-calls.http.ts';

/** The runner: executes runs on the flow runtime. It serves its health, and the tool gateway's notices of its runs' calls. */
export function createApp(deps: Deps): App {
  const http = createServiceApp({
    log: deps.log,
    authenticate: deps.authenticate,
    ready: () => deps.runtime.ready(),
  });
  const room: Room = { ...deps, active: new Map() };
  toolCallRoutes(http, room.active);
  let loop: RunLoop | undefined;
  return {
    name: 'runner',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      await deps.runtime.ready().catch((error: unknown) => {
        // One that is away now may come; a wrong one stays wrong.
        if (error instanceof RuntimeMismatch) throw error;
        deps.log.warn({ err: error }, 'the flow runtime does not answer yet');
      });
      loop ??= startRunLoop(room);
    },
    async stop() {
      await loop?.stop();
      await deps.runtime.close();
    },
  };
}
