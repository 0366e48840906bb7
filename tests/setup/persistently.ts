import { GraphError } from '../../infra/dev/main-job/graph-client.ts';

/** Codes of an answer that time heals: a part is away and on its way back. SHOP_ERROR is the shop's own "Internal Server Error". */
const transient = new Set(['UNAVAILABLE', 'SUBGRAPH_UNAVAILABLE', 'SALEOR_UNAVAILABLE', 'SHOP_ERROR']);

/** Repeats a step that has not answered, as a client should; gives up on a refusal that time does not heal, and after a minute and a half. */
export async function persistently<T>(what: string, step: () => Promise<T>, patienceMs = 90_000): Promise<T> {
  let last: unknown;
  for (
    const deadline = Date.now() + patienceMs;
    Date.now() < deadline;
    await new Promise((resolve) => setTimeout(resolve, 50))
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
export const until = <T>(what: string, ask: () => Promise<T | undefined>, patienceMs?: number): Promise<T> =>
  persistently(
    what,
    async () => {
      const found = await ask();
      if (found === undefined) throw new Error('not yet');
      return found;
    },
    patienceMs,
  );
