/** What was asked gave no answer in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  readonly code = 'UNAVAILABLE';
}

/**
 * The answer, or DeadlineError after `ms`: for clients that know no deadline of their own. What was asked is not ended, only not waited for any
 * longer, so it must be safe to repeat.
 */
export async function withDeadline<T>(asked: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} gave no answer in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
