import type { Room } from '../deps.ts';
import { createCitations } from '../langflow/citations.ts';
import { runErrors } from '../langflow/classify-error.ts';
import type { Verdict } from '../langflow/map-frames.ts';
import { createToolCalls } from '../langflow/tool-calls.ts';
import type { RunUsage } from '../langflow/usage.ts';
import { activeRun, type NoticeRefusal } from './active-runs.ts';
import { billedUsage } from './billed-usage.ts';
import type { BilledUsage, ClaimedRun } from './claimed-run.ts';
import { createEventLog, type LoggedEvent } from './event-log.ts';
import { executeFlow, type Interruption } from './execute-flow.ts';
import { holdLease } from './lease.ts';
import { FencedError, type Ending } from './runs-client.ts';

/** What a run that is stopped with its process has to settle and end in. */
const lastWordsMs = 3_000;

/**
 * Owns one run from its claim to its end: executes the flow, keeps the lease, decides how the run ends, settles, and then ends it with the charge in
 * its terminal event. A run that somebody else had begun is not executed again (its tools may have acted): it ends as they decided, else it is
 * settled at their checkpoint and ends RUNNER_LOST. Never
 * throws; what it cannot end by some time after the deadline, the next owner does. `stop` aborts with the reason 'stopped' (hand back or end) when the process must go.
 */
export async function executeRun(deps: Room, run: ClaimedRun, stop: AbortSignal): Promise<void> {
  const log = deps.log.child({ runId: run.runId, fence: run.fence });
  const began = Date.now();
  const interruption = new AbortController();
  /** Aborted when this runner may or can write no more. */
  const disowned = new AbortController();
  const interrupt = (why: Interruption): void => {
    if (why === 'fenced') disowned.abort(new FencedError());
    if (!interruption.signal.aborted) interruption.abort(why);
  };
  let giveUp: NodeJS.Timeout | undefined;
  const stopped = (): void => {
    interrupt('stopped');
    giveUp = setTimeout(() => disowned.abort(new Error('the process stops')), lastWordsMs);
  };
  stop.addEventListener('abort', stopped, { once: true });
  const deadline = setTimeout(interrupt, run.remainingMs, 'deadline');
  const lastMoment = setTimeout(
    () => disowned.abort(new Error('it could not be ended in time')),
    run.remainingMs + deps.limits.endPatienceMs,
  );

  const append = async (batch: readonly LoggedEvent[]): Promise<void> => {
    try {
      const told = await deps.runs.append(run, batch, disowned.signal);
      if (told.cancelRequested) interrupt('cancelled');
    } catch (error) {
      if (error instanceof FencedError) interrupt('fenced');
      else {
        log.error({ err: error }, 'events refused');
        interrupt('refused');
      }
      throw error;
    }
  };
  const events = createEventLog({
    firstSeq: run.lastSeq + 1,
    flushMs: deps.limits.flushMs,
    flushBytes: deps.limits.flushBytes,
    append,
  });
  const tools = createToolCalls(deps.limits);
  const citations = createCitations(deps.limits.maxCitations);
  let isOver = false;
  const active = activeRun({
    fence: run.fence,
    tools,
    citations,
    events,
    // What it throws has interrupted the run, and that is asked next.
    ask: () => append([]).catch(() => undefined),
    standing: (): NoticeRefusal | undefined => {
      if (disowned.signal.reason instanceof FencedError) return 'RUN_FENCED';
      return isOver || interruption.signal.aborted ? 'RUN_ENDED' : undefined;
    },
  });
  /** Whether anybody may have asked the runtime to execute the flow: from then on it is not executed again. */
  let marked = run.lastSeq > 0;
  const mark = async (): Promise<void> => {
    if (marked) return;
    marked = true;
    events.push({ kind: 'RunStarted', payload: { conversationId: run.conversationId } });
    await events.flush();
  };
  const isLost = run.takenOver && run.lastSeq > 0;
  const flow = executeFlow(deps, run, {
    signal: interruption.signal,
    interrupt,
    emit: (event) => {
      for (const told of [event, ...citations.after(event)]) events.push(told);
    },
    tools,
    mark,
  });
  const usage = (whole: boolean): RunUsage =>
    flow.mapper?.usage(whole, Date.now() - began) ?? {
      status: 'MISSING',
      models: [],
      toolCalls: 0,
      durationMs: 0,
    };
  const lease = holdLease(deps, run, {
    usage: () => {
      const settled = run.billed ?? (isLost ? (run.checkpoint ?? []) : undefined);
      return {
        lost: settled ?? billedUsage({ state: 'FAILED', error: null }, flow.begun, usage(false)),
        whole: settled ?? billedUsage({ state: 'SUCCEEDED', error: null }, flow.begun, usage(false)),
      };
    },
    onCancel: () => interrupt('cancelled'),
    onFenced: () => interrupt('fenced'),
    onExhausted: interrupt,
  });

  try {
    if (run.billed) return await settle(run.billed);
    if (isLost) {
      const state = run.cancelRequested ? 'CANCELLED' : 'FAILED';
      const error = run.cancelRequested ? null : runErrors.lost;
      return await end({ state, output: null, usage: null, error, billed: run.checkpoint ?? [] });
    }
    if (run.remainingMs <= 0) interrupt('deadline');
    if (run.cancelRequested) interrupt('cancelled');
    deps.active.set(run.runId, active);
    const result = await outcome();
    isOver = true;
    if (result === 'hand-back') {
      await deps.runs.handBack(run);
      return;
    }
    const used = usage(result.state === 'SUCCEEDED');
    await end({ ...result, usage: used, billed: billedUsage(result, flow.begun, used) });
    log.info({ state: result.state, code: result.error?.code, ms: Date.now() - began }, 'run ended');
  } catch (error) {
    log.warn({ err: error }, 'the run is left to its next owner');
  } finally {
    stop.removeEventListener('abort', stopped);
    clearTimeout(deadline);
    clearTimeout(lastMoment);
    clearTimeout(giveUp);
    lease.end();
    events.close();
    if (deps.active.get(run.runId) === active) deps.active.delete(run.runId);
  }

  /** How the execution ended, in the run's words; `hand-back` when it may begin anew elsewhere. */
  async function outcome(): Promise<Pick<Ending, 'state' | 'output' | 'error'> | 'hand-back'> {
    let verdict: Verdict;
    try {
      interruption.signal.throwIfAborted();
      verdict = await flow.run();
    } catch (error) {
      disowned.signal.throwIfAborted();
      switch (interruption.signal.aborted ? (interruption.signal.reason as Interruption) : undefined) {
        case 'cancelled':
          return { state: 'CANCELLED', output: null, error: null };
        case 'deadline':
          return { state: 'FAILED', output: null, error: runErrors.deadline };
        case 'idle':
          return { state: 'FAILED', output: null, error: runErrors.idle };
        case 'max-charge':
          return { state: 'FAILED', output: null, error: runErrors.maxCharge };
        case 'exhausted':
          return { state: 'FAILED', output: null, error: runErrors.exhausted };
        case 'stopped':
          return marked ? { state: 'FAILED', output: null, error: runErrors.lost } : 'hand-back';
        case 'refused':
        case 'fenced':
        case undefined:
          log.error({ err: error }, 'run failed on our side');
          return { state: 'FAILED', output: null, error: runErrors.internal };
      }
    }
    if (verdict.ok) return { state: 'SUCCEEDED', output: verdict.output, error: null };
    return { state: 'FAILED', output: null, error: verdict.error };
  }

  /** Closes what is open, and has it stored how the run ends before anything is settled. */
  async function end(ending: Ending): Promise<void> {
    const stored = mark();
    for (const event of flow.mapper?.close() ?? []) events.push(event);
    await Promise.all([stored, events.flush(), deps.runs.decide(run, ending, disowned.signal)]);
    await settle(ending.billed);
  }

  /** Settles what was decided and ends the run in one commit with its charge. */
  async function settle(billed: readonly BilledUsage[]): Promise<void> {
    const charge = await deps.billing.close(run, billed, disowned.signal);
    disowned.signal.throwIfAborted();
    await deps.runs.finish(run, charge, disowned.signal);
  }
}
