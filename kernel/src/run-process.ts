import type { App } from './app.ts';
import { serve, type HttpServer } from './http/server.ts';
import type { Log } from './log.ts';
import { onStopSignal } from './stop-signals.ts';

/**
 * The last lines of every `main.ts`: start the app, listen, and at SIGTERM or SIGINT stop in order (no new requests → background work →
 * connections). A second signal ends the process at once (stop-signals.ts).
 */
export async function runProcess(options: {
  app: App;
  host: string;
  port: number;
  log: Log;
  shutdownSeconds: number;
  /** Closes what main opened, last opened first. */
  close: () => Promise<void>;
  /** For a process that its own work under way has called: it takes requests until that work has ended. */
  listensToTheEnd?: boolean;
  /** For a process that serves more than fetch (WebSockets). */
  onListening?: (server: HttpServer) => void;
}): Promise<void> {
  const { app, log } = options;
  await app.start();
  const server = await serve({
    fetch: (request) => app.fetch(request),
    host: options.host,
    port: options.port,
    log,
    bodies: app.bodies,
  });
  options.onListening?.(server);
  onStopSignal((signal) => {
    log.info({ signal }, 'stopping');
    void stopInOrder();
  });
  log.info({ origin: server.origin }, `${app.name} is ready`);
  process.send?.({ ready: app.name, origin: server.origin });

  async function stopInOrder(): Promise<never> {
    const work = app.stop();
    if (options.listensToTheEnd) await work.catch(() => undefined);
    const ended = await Promise.allSettled([server.close(options.shutdownSeconds * 1_000), work]);
    // Also after a background task that could not end: what main opened must not be left open.
    ended.push(...(await Promise.allSettled([options.close()])));
    const faults = ended.filter((end) => end.status === 'rejected');
    for (const { reason } of faults) log.error({ err: reason as unknown }, 'a part did not stop in order');
    log.info('stopped');
    process.exit(faults.length ? 1 : 0);
  }
}
