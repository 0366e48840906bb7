import { withDeadline } from '@agentstore/kernel/deadline';
import type { Log } from '@agentstore/kernel/log';

/** What was started, to be stopped the other way round. */
export interface Teardown {
  /** Notes how to stop something; to be called before or right after it is started. */
  later(name: string, stop: () => Promise<unknown>): void;
  /** Stops everything noted, last first, once. One that fails or hangs is logged and does not keep the others from stopping. */
  run(): Promise<void>;
}

/** `patienceMs`: how long one of them may take. */
export function createTeardown(log: Log, patienceMs = 15_000): Teardown {
  const noted: { name: string; stop: () => Promise<unknown> }[] = [];
  let under: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    for (const { name, stop } of noted.splice(0).toReversed())
      try {
        await withDeadline(stop(), patienceMs, name);
      } catch (error) {
        log.error({ err: error, part: name }, 'a part did not stop in order');
      }
  };
  return {
    later: (name, stop) => void noted.push({ name, stop }),
    run: () => (under ??= run()),
  };
}
