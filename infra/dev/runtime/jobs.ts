import { eventsOf, encoderOf, finish, workflowResponse, type WorkflowRun } from './run-workflow.ts';
import type { FlowEvent } from './flow-events.ts';

/** A run that can be stopped by its id: of the Langflow flavour, streamed or in the background. */
export interface Stoppable {
  readonly stop: () => void;
}

/** A background run of the Langflow flavour. Kept in memory: jobs do not outlive the process. */
export interface Job extends Stoppable {
  readonly id: string;
  readonly status: () => 'in_progress' | 'completed' | 'failed' | 'cancelled';
  /** The workflow response of an ended job. */
  readonly response: () => Record<string, unknown> | undefined;
  /** Frames so far, and a promise of the next change. */
  readonly frames: readonly string[];
  readonly changed: () => Promise<void>;
}

export function startJob(run: Omit<WorkflowRun, 'signal'>): Job {
  const aborting = new AbortController();
  const whole: WorkflowRun = { ...run, signal: aborting.signal };
  const frames: string[] = [];
  let status: ReturnType<Job['status']> = 'in_progress';
  let response: Record<string, unknown> | undefined;
  let wake = Promise.withResolvers<void>();
  const tell = (): void => {
    const waiting = wake;
    wake = Promise.withResolvers();
    waiting.resolve();
  };
  const encode = encoderOf(whole);
  async function* recorded(): AsyncGenerator<FlowEvent> {
    for await (const event of eventsOf(whole, true)) {
      frames.push(...encode(event));
      tell();
      yield event;
    }
  }
  finish(recorded())
    .then((result) => {
      response = workflowResponse(whole, result);
      status = result.ok ? 'completed' : 'failed';
    })
    .catch(() => {
      status = 'cancelled';
    })
    .finally(tell);
  return {
    id: run.jobId,
    status: () => status,
    response: () => response,
    frames,
    changed: () => wake.promise,
    stop: () => aborting.abort(),
  };
}

/** What `mode: background` answers at once. */
export const jobJson = (jobId: string, flowId: string, status: string): Record<string, unknown> => ({
  job_id: jobId,
  flow_id: flowId,
  object: 'job',
  created_timestamp: new Date().toISOString().replace('Z', '000+00:00'),
  status,
  links: {
    status: `/api/v2/workflows?job_id=${jobId}`,
    events: `/api/v2/workflows/${jobId}/events`,
    stop: '/api/v2/workflows/stop',
  },
  errors: [],
  globals: {},
});
