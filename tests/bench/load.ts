/** What a load came to. */
export interface Load {
  readonly perSecond: number;
  /** Sum of what the jobs answered, per second. */
  readonly amountPerSecond: number;
}

/**
 * Keeps `concurrency` jobs going for `seconds`, then lets the last ones end; rates count all of them over the whole time. A job answers an
 * amount of its own, and gets a number: the first is 0.
 */
export async function loadWith(options: {
  seconds: number;
  concurrency: number;
  job: (number: number) => Promise<number>;
}): Promise<Load> {
  const began = performance.now();
  const until = began + options.seconds * 1_000;
  let started = 0;
  let amount = 0;
  await Promise.all(
    Array.from({ length: options.concurrency }, async () => {
      while (performance.now() < until) {
        const answered = await options.job(started++);
        amount += answered;
      }
    }),
  );
  const took = (performance.now() - began) / 1_000;
  return { perSecond: started / took, amountPerSecond: amount / took };
}
