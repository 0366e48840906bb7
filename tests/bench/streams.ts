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
 * Added per event: for each piece of text (a token of the model, an event of the runtime), from the moment it leaves the runtime to the arrival
 * of the graphql-ws event that carries it, within one and the same run; pieces that the runner put into one event wait for its last one, and
 * that wait counts. Laying the rhythms of two runs over each other instead would hide whatever delays all events alike, and would count the
 * jitter of timers as ours.
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

/** How long after it left the runtime each piece of text arrived. */
function delays({ text }: Watched, heard: Heard): number[] {
  return heard.ends.map((end, index) => {
    const arrived = text.find((event) => event.end >= end);
    if (!arrived) throw new Error('a subscriber missed text that the runtime sent');
    return arrived.at - heard.times[index]!;
  });
}
