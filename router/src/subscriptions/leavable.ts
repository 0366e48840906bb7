/** A generator whose reader may leave while it waits for what comes next: `return` alone would wait with it. `leave` has to end that wait. */
export function leavable<T>(source: AsyncGenerator<T>, leave: () => void): AsyncGenerator<T> {
  return {
    next: () => source.next(),
    return(value) {
      leave();
      return source.return(value);
    },
    throw(error) {
      leave();
      return source.throw(error);
    },
    async [Symbol.asyncDispose]() {
      leave();
      await source.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
