import type pg from 'pg';
import type { Log } from '../log.ts';
import type { Database } from './database.ts';

/** One LISTEN connection of a process: doorbells, never the data. */
export interface Listener {
  /** Resolves when LISTEN is in place; a later loss is mended in the background. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Listens on channels over one connection of its own and reconnects when it is lost. `onNotify` gets the payload; `onGap` is called after every
 * (re)connect, since notifications may have been missed: the owner then looks at the data itself.
 */
export function createListener(options: {
  database: Database;
  channels: readonly string[];
  onNotify: (channel: string, payload: string) => void;
  onGap: () => void;
  log: Log;
}): Listener {
  let client: pg.Client | undefined;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  let connecting: Promise<void> | undefined;
  const connect = (): Promise<void> => (connecting = open());

  async function open(): Promise<void> {
    const made = await options.database.connect();
    made.on('notification', ({ channel, payload }) => options.onNotify(channel, payload ?? ''));
    made.once('error', (error) => lost(made, error));
    made.once('end', () => lost(made));
    try {
      await made.query(options.channels.map((channel) => `listen ${channel}`).join('; '));
    } catch (error) {
      await close(made);
      throw error;
    }
    if (stopped) return close(made);
    client = made;
    options.onGap();
  }

  async function close(made: pg.Client): Promise<void> {
    made.removeAllListeners();
    made.on('error', () => undefined);
    await made.end().catch(() => undefined);
  }

  function lost(made: pg.Client, error?: Error): void {
    if (stopped || (client !== made && client !== undefined)) return;
    client = undefined;
    void close(made);
    options.log.warn({ err: error }, 'listener connection lost');
    retry();
  }

  function retry(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (stopped) return;
      connect().catch((error: unknown) => {
        options.log.warn({ err: error }, 'listener cannot reconnect yet');
        retry();
      });
    }, 500);
  }

  return {
    start: connect,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await connecting?.catch(() => undefined); // one that is being opened closes itself
      const last = client;
      client = undefined;
      if (last) await close(last);
    },
  };
}
