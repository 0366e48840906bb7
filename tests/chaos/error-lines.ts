import fs from 'node:fs';
import path from 'node:path';

/** Per seed that failed: what a CI log has room for. */
const mostLines = 40;
const mostCharacters = 300;
/** pino's `error`. */
const errorLevel = 50;

interface LogLine {
  readonly level: number;
  readonly time: number;
  readonly name: string;
  readonly msg: string;
  readonly err?: { readonly message: string };
}

/** Bytes of each log of a store. */
export const sizesOfLogs = (directory: string): ReadonlyMap<string, number> =>
  new Map(logsIn(directory).map((file) => [file, fs.statSync(path.join(directory, file)).size]));

/** The last errors in all logs of a store since they had these sizes, in the order of time; a line that is no JSON is a process' last words, or of `npm start`. */
export function errorLines(directory: string, since: ReadonlyMap<string, number>): string[] {
  const found = logsIn(directory).flatMap((file) => {
    let time = 0;
    return fs
      .readFileSync(path.join(directory, file))
      .subarray(since.get(file) ?? 0)
      .toString()
      .split('\n')
      .flatMap((line) => {
        const said = read(line);
        time = said?.time ?? time;
        if (said ? said.level < errorLevel : !line.trim()) return [];
        const text = said ? [said.name, said.msg, said.err?.message].filter(Boolean).join(': ') : line;
        return [{ time, text: `${file}  ${text}` }];
      });
  });
  return found
    .toSorted((a, b) => a.time - b.time)
    .slice(-mostLines)
    .map(({ time, text }) =>
      `${time ? new Date(time).toISOString().slice(11, 23) : ''.padEnd(12)}  ${text.replaceAll('\n', ' ')}`.slice(
        0,
        mostCharacters,
      ),
    );
}

const logsIn = (directory: string): string[] =>
  fs.existsSync(directory) ? fs.readdirSync(directory).filter((file) => file.endsWith('.log')) : [];

function read(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
