import type { App } from '@agentstore/kernel/app';
import { createServiceApp, traced } from '@agentstore/kernel/http/service-app';
import type { Deps } from './deps.ts';
import { RuntimeMismatch } from './langflow/runtime-client.ts';
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
      await deps.runtime.ready().catch((error: unknown) => {
        // One that is away now may come; a wrong one stays wrong.
        if (error instanceof RuntimeMismatch) throw error;
        deps.log.warn({ err: error }, 'the flow runtime does not answer yet');
      });
      loop ??= startRunLoop(deps);
    },
    async stop() {
      await loop?.stop();
      await deps.runtime.close();
    },
  };
}
