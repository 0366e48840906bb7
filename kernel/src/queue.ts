import { PgBoss } from 'pg-boss';
import type { z } from 'zod';
import type { Tx } from './db/database.ts';
import type { Log } from './log.ts';

/** A kind of job: its queue's name and the shape of its payload, parsed on both sides. Safe to import without the body. */
export interface TaskDefinition<Payload extends z.ZodType> {
  readonly name: string;
  readonly payload: Payload;
  /** Attempts after the first; then the job goes to the dead-letter queue `<name>-dead`. */
  readonly retries: number;
}

export const defineTask = <Payload extends z.ZodType>(
  task: TaskDefinition<Payload>,
): TaskDefinition<Payload> => task;

/**
 * Wake-ups for workers, on pg-boss behind a port of our own: no type of pg-boss leaves this file. Correctness never rests on it
 * (a sweep finds what a lost job left); it only makes things happen soon.
 */
export interface Queue {
  /** Adds a job in the caller's transaction: it exists exactly when the change that caused it does. */
  enqueue<P extends z.ZodType>(tx: Tx, task: TaskDefinition<P>, payload: z.input<P>): Promise<void>;
  /** Runs `handle` for each job. Throwing retries with backoff. A job whose worker died is taken again after a minute. */
  work<P extends z.ZodType>(
    task: TaskDefinition<P>,
    handle: (payload: z.output<P>, signal: AbortSignal) => Promise<void>,
  ): Promise<void>;
  /** Enqueues the task on a cron schedule (UTC), once however many processes run. */
  schedule<P extends z.ZodType>(task: TaskDefinition<P>, cron: string, payload: z.input<P>): Promise<void>;
  stop(): Promise<void>;
}

const schema = 'pgboss';

/** Creates or upgrades the queue's schema, as the owner role, and lets the application role use it. */
export async function migrateQueue(adminUrl: string, appRole: string): Promise<void> {
  const boss = new PgBoss({ connectionString: adminUrl, schema, supervise: false, schedule: false, max: 1 });
  boss.on('error', () => undefined); // start() below throws what matters
  await boss.start();
  await boss.getDb().executeSql(`
    grant usage on schema ${schema} to ${appRole};
    grant select, insert, update, delete on all tables in schema ${schema} to ${appRole};
    grant execute on all functions in schema ${schema} to ${appRole};
    grant usage, select on all sequences in schema ${schema} to ${appRole}`);
  await boss.stop({ graceful: false, close: true });
}

/** Connects to the queue as the application role. */
export async function openQueue(options: { url: string; log: Log }): Promise<Queue> {
  const boss = new PgBoss({
    connectionString: options.url,
    schema,
    migrate: false,
    createSchema: false,
    max: 4,
  });
  boss.on('error', (error) => options.log.warn({ err: error }, 'queue error'));
  await boss.start();
  const known = new Map<string, Promise<void>>();

  /** Queues are rows that must exist before a job does; made once per process. */
  function ensure(task: TaskDefinition<z.ZodType>): Promise<void> {
    let made = known.get(task.name);
    if (!made) {
      made = create(task).catch((error: unknown) => {
        known.delete(task.name);
        throw error;
      });
      known.set(task.name, made);
    }
    return made;
  }
  async function create(task: TaskDefinition<z.ZodType>): Promise<void> {
    await boss.createQueue(deadLetter(task), { policy: 'standard' });
    await boss.createQueue(task.name, {
      policy: 'standard',
      retryLimit: task.retries,
      retryBackoff: true,
      retryDelay: 1,
      retryDelayMax: 60,
      heartbeatSeconds: 20,
      deadLetter: deadLetter(task),
    });
  }

  return {
    async enqueue(tx, task, payload) {
      await ensure(task);
      await boss.send(task.name, task.payload.parse(payload) as object, {
        db: { executeSql: async (text, values) => ({ rows: await tx.sql(text, values as never[]) }) },
      });
    },
    async work(task, handle) {
      await ensure(task);
      await boss.work(task.name, { batchSize: 1, pollingIntervalSeconds: 1 }, async (jobs) => {
        for (const job of jobs) await handle(task.payload.parse(job.data), job.signal);
      });
    },
    async schedule(task, cron, payload) {
      await ensure(task);
      await boss.schedule(task.name, cron, task.payload.parse(payload) as object, { tz: 'UTC' });
    },
    async stop() {
      await boss.stop({ graceful: true, timeout: 10_000, close: true });
    },
  };
}

const deadLetter = (task: { readonly name: string }): string => `${task.name}-dead`;
