import { GraphError } from '../../infra/dev/main-job/graph-client.ts';

/** Codes of an answer that time heals: a part is away and on its way back. SHOP_ERROR is the shop's own "Internal Server Error". */
const transient = new Set([
  'UNAVAILABLE',
  'SUBGRAPH_UNAVAILABLE',
  'SALEOR_UNAVAILABLE',
  'SHOP_ERROR',
  'SECRET_STORE_UNAVAILABLE',
]);

/**
 * For all that comes by itself: a step that a killed process had claimed (an order, a write of a secret) is free for others after a minute, two stores that
 * start beside a third on one core take longer than that to be up, and a flow waits three minutes for a tool whose server answered with an HTTP error. Nobody
 * waits for all of it unless something is lost.
 */
export const patienceMs = 240_000;

/** Repeats a step that has not answered, as a client should; gives up on a refusal that time does not heal, and when its patience ends. */
export async function persistently<T>(what: string, step: () => Promise<T>): Promise<T> {
  let last: unknown;
  // Often at first, to see things when they happen; rarely when it takes long, to leave the machine to those who are waited for.
  let pauseMs = 40;
  for (
    const deadline = Date.now() + patienceMs;
    Date.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, (pauseMs = Math.min(500, pauseMs * 1.2))))
  ) {
    try {
      return await step();
    } catch (error) {
      last = error;
      if (error instanceof GraphError && !error.codes.every((code) => transient.has(code)))
        throw new Error(`${what}: ${error.message}`, { cause: error });
    }
  }
  throw new Error(`${what}: no answer within ${patienceMs / 1_000} s: ${(last as Error).message}`, {
    cause: last,
  });
}

/** Asks until there is what one waits for. */
export const until = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
  persistently(what, async () => {
    const found = await ask();
    if (found === undefined) throw new Error('not yet');
    return found;
  });
