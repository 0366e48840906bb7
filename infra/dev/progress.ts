/** What `npm start` shows a person: one line per step, with its time. Nothing here is read by scripts (they read dev.json). */
export interface Progress {
  /**
   * Runs one step and prints its line when it is done: `✓ what   detail   1.2 s`. A failing step prints `✗` and rethrows. Once the progress
   * is interrupted no step begins, and one that fails for it is no failure to show.
   */
  step<T>(what: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  heading(text: string): void;
  line(text?: string): void;
}

type Write = (text: string) => void;

export function createProgress(
  options: { write?: Write; colour?: boolean; interrupted?: AbortSignal } = {},
): Progress {
  const write = options.write ?? ((text: string) => void process.stdout.write(text));
  const colour = options.colour ?? process.stdout.isTTY;
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    async step(what, work) {
      options.interrupted?.throwIfAborted();
      const started = performance.now();
      let said = '';
      try {
        const value = await work((text) => (said = text));
        write(
          `${paint(32, '✓')} ${what.padEnd(26)} ${paint(2, `${seconds(performance.now() - started).padStart(7)}`)}  ${said}\n`,
        );
        return value;
      } catch (error) {
        options.interrupted?.throwIfAborted();
        write(
          `${paint(31, '✗')} ${what.padEnd(26)} ${seconds(performance.now() - started).padStart(7)}  ${(error as Error).message}\n`,
        );
        throw error;
      }
    },
    heading: (text) => write(`\n${paint(1, text)}\n`),
    line: (text = '') => write(`${text}\n`),
  };
}

/** A duration for people: `85 ms`, `1.2 s`. */
export const seconds = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
