import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { CallerJobs } from './tool-caller.ts';

/** The process of those who call, and of the upstream. */
export interface ToolCallers {
  /** The upstream's origin. */
  readonly origin: string;
  /** Has a job done, one at a time; throws when it failed. */
  ask<Job extends keyof CallerJobs>(
    job: Job,
    input: Parameters<CallerJobs[Job]>[0],
  ): Promise<Awaited<ReturnType<CallerJobs[Job]>>>;
  close(): Promise<void>;
}

export async function openToolCallers(): Promise<ToolCallers> {
  const child = fork(path.join(import.meta.dirname, 'tool-caller.ts'), { serialization: 'advanced' });
  const ended = once(child, 'exit');
  async function answer<T>(): Promise<T> {
    const said = once(child, 'message') as Promise<[{ value: T; fault?: string }]>;
    const [{ value, fault }] = await Promise.race([
      said,
      ended.then(([code]) => Promise.reject(new Error(`those who call ended with ${code}`))),
    ]);
    if (fault !== undefined) throw new Error(fault);
    return value;
  }
  return {
    origin: await answer<string>(),
    ask(job, input) {
      child.send({ job, input });
      return answer();
    },
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
