import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactError, loadArtifact } from '../artifacts/load-artifact.ts';
import type { Deps } from '../deps.ts';
import { runErrors, type RunError } from '../langflow/classify-error.ts';
import { readFrames, StreamTooLargeError } from '../langflow/frames.ts';
import { textIn } from '../langflow/json.ts';
import { createFrameMapper, type FrameMapper, type Verdict } from '../langflow/map-frames.ts';
import type { MappedEvent } from '../langflow/mapped-event.ts';
import { RuntimeError, type Flow } from '../langflow/runtime-client.ts';
import type { ToolCalls } from '../langflow/tool-calls.ts';
import type { Exhausted } from './billing-client.ts';
import { flowIdOf, globalsOf, parseFlow, sessionIdOf, type ClaimedRun } from './claimed-run.ts';

/** Why a flow was interrupted from our side; the reason of the abort signal. */
export type Interruption = 'cancelled' | 'fenced' | 'refused' | 'deadline' | 'idle' | 'stopped' | Exhausted;

/** One execution of a flow. */
export interface Execution {
  /** Whether the runtime began to execute. */
  readonly begun: boolean;
  /** What was mapped so far; undefined before the artifact is there. */
  readonly mapper: FrameMapper | undefined;
  /** Runs the flow to its end; throws only what interrupted it or a fault of ours. */
  run(): Promise<Verdict>;
}

/**
 * The artifact, verified, given to the runtime, and its stream as run events. Nothing of the artifact is looked at, nor sent anywhere,
 * before its sha256 was checked. The runtime is asked again only while nothing can have been executed, and it is marked as begun before it is asked
 * to execute.
 */
export function executeFlow(
  deps: Deps,
  run: ClaimedRun,
  options: {
    signal: AbortSignal;
    interrupt: (why: Interruption) => void;
    emit: (event: MappedEvent) => void;
    tools: ToolCalls;
    /** Resolves when it is stored that the flow may have begun; after that no other runner executes it. */
    mark: () => Promise<void>;
  },
): Execution {
  const { signal, interrupt, emit, tools, mark } = options;
  let begun = false;
  let mapper: FrameMapper | undefined;
  let jobId: string | undefined;

  async function execute(): Promise<Verdict> {
    let bytes: Buffer;
    try {
      bytes = await loadArtifact(deps.artifacts, run.artifact, signal);
    } catch (error) {
      if (!(error instanceof ArtifactError)) throw error;
      deps.log.error({ err: error, runId: run.runId }, 'artifact not usable');
      return fail(error.kind === 'mismatch' ? runErrors.mismatch : runErrors.artifactUnavailable);
    }
    const parsed = parseFlow(bytes);
    if (!parsed) return fail(runErrors.refused);
    const { runtime } = deps;
    mapper = createFrameMapper({
      flavour: runtime.flavour,
      stepName: parsed.stepName,
      tools,
      maxOutput: deps.limits.maxOutputBytes,
    });
    const stream = await opened(parsed.flow);
    if ('code' in stream) return fail(stream);
    begun = true;
    return follow(stream, mapper);
  }

  /** The flow's stream; retried with backoff while the runtime is away, as long as the run's time and our patience allow. */
  async function opened(flow: Flow): Promise<AsyncIterable<Uint8Array> | RunError> {
    const flowId = flowIdOf(run.artifact.sha256, run.effectiveConfig);
    const request = {
      flowId,
      input: run.input,
      sessionId: sessionIdOf(deps.sessionSecret, run),
      globals: globalsOf(run, deps.globals),
    };
    const until = Date.now() + deps.limits.runtimePatienceMs;
    for (let attempt = 0; ; attempt++) {
      try {
        await deps.runtime.ensureFlow(flowId, flow, signal);
        await mark();
        signal.throwIfAborted();
        return await deps.runtime.open(request, signal);
      } catch (error) {
        if (!(error instanceof RuntimeError) || signal.aborted) throw error;
        deps.log.warn({ err: error, runId: run.runId, attempt }, 'flow runtime did not take the run');
        if (error.kind === 'refused') return runErrors.refused;
        if (error.kind === 'broken') return runErrors.unavailable;
        const pause = Math.min(2_000, 100 * 2 ** attempt);
        if (Date.now() + pause >= until) return runErrors.unavailable;
        await sleep(pause, undefined, { signal });
      }
    }
  }

  async function follow(stream: AsyncIterable<Uint8Array>, into: FrameMapper): Promise<Verdict> {
    let idle = setTimeout(interrupt, deps.limits.firstEventMs, 'idle');
    try {
      for await (const frame of readFrames(stream, deps.limits)) {
        clearTimeout(idle);
        idle = setTimeout(interrupt, deps.limits.idleMs, 'idle');
        jobId ??= textIn(frame.data, 'run_id');
        for (const event of into.map(frame)) emit(event);
        // An error wins over whatever would follow: the backend sends its end half a minute later.
        if (into.verdict) return into.verdict;
      }
      return fail(runErrors.truncated);
    } catch (error) {
      if (error instanceof StreamTooLargeError) return fail(runErrors.tooLarge);
      if (signal.aborted) {
        if (jobId) await deps.runtime.stop(jobId);
        throw error;
      }
      deps.log.warn({ err: error, runId: run.runId }, 'flow runtime broke off');
      return fail(runErrors.truncated);
    } finally {
      clearTimeout(idle);
    }
  }

  return {
    get begun() {
      return begun;
    },
    get mapper() {
      return mapper;
    },
    run: execute,
  };
}

const fail = (error: RunError): Verdict => ({ ok: false, error });
