/** How the store ends: once and in order, however often and by whomever it is asked. */
export interface OrderlyEnd {
  /** Aborted as soon as the end has begun: what is under way gives up at its next step. */
  readonly signal: AbortSignal;
  /** Begins the end, with the first asker's exit code; a later asker waits for the same end. */
  end(code: number): Promise<void>;
  /** A signal from a terminal or a supervisor. */
  interrupt(): void;
}

/**
 * In a terminal every process of the group gets Ctrl-C, and npm passes its own on: one key arrives as two signals a moment apart. Only a
 * signal after this time is a person who does not want to wait.
 */
const sameKeyMs = 1_000;

/** `stop` gets `deadlineMs`; what it has not stopped by then is left to the guards of the processes we started. */
export function orderlyEnd(options: {
  stop: () => Promise<void>;
  exit: (code: number) => void;
  deadlineMs: number;
  now?: () => number;
}): OrderlyEnd {
  const now = options.now ?? (() => performance.now());
  const interrupted = new AbortController();
  let under: Promise<void> | undefined;
  let firstAt = 0;
  const stop = async (code: number): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<number>((resolve) => {
      timer = setTimeout(() => resolve(1), options.deadlineMs);
    });
    const stopped = options.stop().then(
      () => code,
      () => 1,
    );
    const result = await Promise.race([stopped, patience]);
    clearTimeout(timer);
    options.exit(result);
  };
  const end = (code: number): Promise<void> => {
    if (!under) {
      firstAt = now();
      interrupted.abort(new Error('interrupted'));
      under = stop(code);
    }
    return under;
  };
  return {
    signal: interrupted.signal,
    end,
    interrupt() {
      if (under && now() - firstAt > sameKeyMs) options.exit(1);
      else void end(0);
    },
  };
}
