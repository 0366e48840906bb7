import { listenToRuntime, type BareRuntime, type Heard } from './bare-runtime.ts';
import type { Buyer } from './open-store.ts';
import { watchRun, type Watched } from './runs.ts';

/** Milliseconds, one sample per run or per text event. */
export interface StreamSamples {
  readonly runtimeFirst: number[];
  readonly storeFirst: number[];
  /** The store's first text minus the runtime's own in the pair run just before it. */
  readonly addedFirst: number[];
  readonly addedPerEvent: number[];
}

/**
 * Asks the bare runtime and the store the same thing in turn, so that both see the same machine.
 *
 * Added per event: each text event of the store's run is held against the moment at which the last of its characters left the runtime in that
 * very run. Two runs' rhythms laid over each other would hide whatever delays all events alike, and would count the timers' jitter as ours.
 */
export async function measureStreams(options: {
  runtime: BareRuntime;
  buyer: Buyer;
  instanceId: string;
  pairs: number;
  prompt: string;
}): Promise<StreamSamples> {
  const { runtime, buyer, instanceId } = options;
  const samples: StreamSamples = { runtimeFirst: [], storeFirst: [], addedFirst: [], addedPerEvent: [] };
  const listening = listenToRuntime();
  try {
    for (let pair = -2; pair < options.pairs; pair += 1) {
      const own = await runtime.run(options.prompt);
      const mark = crypto.randomUUID();
      const watched = await watchRun(buyer, instanceId, `${options.prompt} ${mark}`);
      if (pair < 0) continue; // the first ones warm up
      samples.runtimeFirst.push(own.firstTextMs);
      samples.storeFirst.push(watched.firstTextMs);
      samples.addedFirst.push(watched.firstTextMs - own.firstTextMs);
      samples.addedPerEvent.push(...delays(watched, listening.of(mark)));
    }
  } finally {
    listening.stop();
  }
  return samples;
}

/** How long after its last character left the runtime each text event arrived. */
function delays({ text }: Watched, heard: Heard): number[] {
  return text.map(({ end, at }) => {
    const left = heard.times[heard.ends.findIndex((known) => known >= end)];
    if (left === undefined) throw new Error('a subscriber got text that the runtime did not send');
    return at - left;
  });
}
