import { loadWith } from './load.ts';
import { benchCredential, type ToolRun } from './tool-agent.ts';
import { toolClients, UnexpectedAnswer, type ToolClients } from './tool-clients.ts';
import { toolSteps, type StepsOptions } from './tool-steps.ts';
import { openToolUpstream } from './tool-upstream.ts';

/**
 * Who calls, and whom the tools lead to: in production neither shares a process with the store, so here they are a process of their own. It is asked
 * over its channel (tool-callers.ts).
 */
const upstream = await openToolUpstream();
let clients: ToolClients;
let runs: readonly ToolRun[];
let steps: StepsOptions;

/** Turns before those that count: V8 compiles what it runs often, in all processes that a call goes through. */
const warmTurns = 200;
const ways = ['direct', 'rest', 'mcpDirect', 'mcp', 'hop', 'refused', 'append', 'tell'] as const;
type Samples = Record<(typeof ways)[number], number[]>;

const jobs = {
  async begin(input: { gateway: string; runs: readonly ToolRun[]; steps: StepsOptions }) {
    clients = toolClients({ upstream: upstream.origin, gateway: input.gateway });
    ({ runs, steps } = input);
  },
  /** Milliseconds of each way to call, in turn. */
  async turns({ count, gateway }: { count: number; gateway: string }): Promise<Samples> {
    const run = runs[0]!;
    const parts = toolSteps(steps, run);
    const direct = await clients.mcp(new URL('/mcp', upstream.origin), benchCredential, 'service_status');
    const through = await clients.mcp(new URL('/mcp', gateway), run.token, 'status__service_status');
    const work: Record<(typeof ways)[number], () => Promise<void>> = {
      direct: () => clients.direct(),
      rest: () => clients.rest(run),
      mcpDirect: () => direct.call(),
      mcp: () => through.call(),
      hop: () => clients.hop(),
      refused: () => clients.refused(run),
      append: () => parts.append(),
      tell: () => parts.tell(),
    };
    const samples = Object.fromEntries(ways.map((way) => [way, [] as number[]])) as Samples;
    try {
      for (let turn = -warmTurns; turn < count; turn += 1)
        for (const way of ways) {
          const took = await timed(work[way]);
          if (turn >= 0) samples[way].push(took);
        }
    } finally {
      await Promise.all([direct.close(), through.close(), parts.close()]);
    }
    return samples;
  },
  /** Calls per second, and how many there were. */
  async load({ way, ...load }: { way: 'direct' | 'rest'; seconds: number; concurrency: number }) {
    let calls = 0;
    const { perSecond } = await loadWith({
      ...load,
      async job(call) {
        await (way === 'direct' ? clients.direct() : clients.rest(runs[call % runs.length]!));
        return ++calls;
      },
    });
    return { perSecond, calls };
  },
  /** So many calls at once, in milliseconds, and for how many of them the run's owner did not answer in the two seconds that it has. */
  async crowd({ callers, upstreamMs }: { callers: number; upstreamMs: number }) {
    upstream.delayMs = upstreamMs;
    let refused = 0;
    const call = (run: ToolRun): Promise<void> =>
      clients.rest(run).catch((error: unknown) => {
        if (!(error instanceof UnexpectedAnswer) || error.code !== 'RUN_OWNER_UNAVAILABLE') throw error;
        refused += 1;
      });
    const latencies = await Promise.all(
      Array.from({ length: callers }, (_, caller) => timed(() => call(runs[caller % runs.length]!))),
    );
    return { latencies, refused };
  },
  /** Calls one after another until one is refused; answers after how many milliseconds that is, and with which code. */
  async untilRefused({ run, tool }: { run: number; tool: 'rest' | 'restStatus' }) {
    upstream.delayMs = 0;
    const began = performance.now();
    for (;;)
      try {
        await clients[tool](runs[run]!);
      } catch (error) {
        if (!(error instanceof UnexpectedAnswer)) throw error;
        return { ms: performance.now() - began, code: error.code };
      }
  },
};
export type CallerJobs = typeof jobs;

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

process.on('message', ({ job, input }: { job: keyof CallerJobs; input: never }) => {
  void jobs[job](input).then(
    (value) => process.send!({ value }),
    (error: unknown) => process.send!({ fault: (error as Error).stack }),
  );
});
process.send!({ value: upstream.origin });
