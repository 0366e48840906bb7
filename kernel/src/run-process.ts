import type { App } from './app.ts';
import { serve, type HttpServer } from './http/server.ts';
import type { Log } from './log.ts';

/**
 * The last lines of every `main.ts`: start the app, listen, and at SIGTERM or SIGINT stop in order (no new requests → background work →
 * connections). A second signal ends the process at once.
 */
export async function runProcess(options: {
  app: App;
  host: string;
  port: number;
  log: Log;
  shutdownSeconds: number;
  /** Closes what main opened, last opened first. */
  close: () => Promise<void>;
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
  log.info({ origin: server.origin }, `${app.name} is ready`);
  process.send?.({ ready: app.name, origin: server.origin });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal }, 'stopping');
    void (async () => {
      await Promise.all([server.close(options.shutdownSeconds * 1_000), app.stop()]);
      await options.close();
      log.info('stopped');
      process.exit(0);
    })();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // A supervisor that started us over IPC and is gone (kill -9) cannot stop us any more: stop by ourselves.
  process.once('disconnect', () => stop('SIGTERM'));
  process.on('SIGTERM', () => undefined).on('SIGINT', () => undefined);
}
