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

/**
 * Does work under a signal that aborts with a TimeoutError after `ms`, or as soon as one of `signals` does, with its reason. It is given back when the work
 * ends: what AbortSignal.timeout and AbortSignal.any make lives on until the whole heap is collected, and makes each collection before that longer.
 */
export async function within<T>(
  ms: number,
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const follow = ({ target }: Event): void => ending.abort((target as AbortSignal).reason);
  const timer = setTimeout(() => ending.abort(new DOMException(`no end in ${ms} ms`, 'TimeoutError')), ms);
  timer.unref();
  for (const signal of signals)
    if (signal.aborted) ending.abort(signal.reason);
    else signal.addEventListener('abort', follow);
  try {
    return await work(ending.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal.removeEventListener('abort', follow);
  }
}
