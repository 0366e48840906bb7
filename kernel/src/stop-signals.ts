/** npm passes a Ctrl-C on that the terminal has already sent to the whole group: the second within this time is the same wish. */
const sameWishMs = 1_000;

/**
 * Calls `stop` at the first SIGTERM or SIGINT. One more of them, a second later or more, is impatience and ends the process at once with code 1.
 * A supervisor that started us over IPC and is gone (kill -9) cannot stop us any more: that is a first signal too, never a second.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let first: number | undefined;
  const begin = (signal: NodeJS.Signals): void => {
    first = performance.now();
    stop(signal);
  };
  const signalled = (signal: NodeJS.Signals): void => {
    if (first === undefined) begin(signal);
    else if (performance.now() - first >= sameWishMs) process.exit(1);
  };
  process.on('SIGTERM', signalled).on('SIGINT', signalled);
  process.once('disconnect', () => {
    if (first === undefined) begin('SIGTERM');
  });
}
