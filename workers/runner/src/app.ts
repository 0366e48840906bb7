import type { App } from '@agentstore/kernel/app';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Deps } from './deps.ts';
import { startRunLoop, type RunLoop } from './runs/claim-runs.task.ts';

/** The runner: executes runs on the flow runtime. It serves only its health. */
export function createApp(deps: Deps): App {
  const http = createServiceApp({
    log: deps.log,
    authenticate: deps.authenticate,
    ready: () => deps.runtime.ready(),
  });
  let loop: RunLoop | undefined;
  return {
    name: 'runner',
    fetch: traced((request) => http.fetch(request)),
    async start() {
      loop ??= startRunLoop(deps);
    },
    async stop() {
      await loop?.stop();
      await deps.runtime.close();
    },
  };
}
