import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';

/** A server on a free port that answers every request by `handle`, given the request's body. */
export async function serving(
  handle: (answer: http.ServerResponse, body: string) => void,
): Promise<{ url: string; close: () => void }> {
  const server = http.createServer((request, answer) => {
    let body = '';
    request.setEncoding('utf8').on('data', (more: string) => (body += more));
    request.on('end', () => handle(answer, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/graphql/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A GraphQL server that serves this SDL and says, as Saleor does to everybody, of which version it is. */
export const servingSdl = (sdl: string, schemaVersion = '3.22') =>
  serving((answer, body) => {
    const data = body.includes('_service') ? { _service: { sdl } } : { shop: { schemaVersion } };
    answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
  });

/** What a command did. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Time that processors worked for it. */
  readonly cpuSeconds: number;
  /** Most memory it held. */
  readonly maxRssMiB: number;
}

/** Runs one of this folder's commands in a process of its own. */
export function runCommand(
  command: 'pull' | 'compose',
  args: readonly string[],
  { heapMiB = 1_024 }: { heapMiB?: number } = {},
): Promise<Ended> {
  const mark = 'used by the command: ';
  const report = `process.on('exit', () => process.stderr.write('${mark}' + JSON.stringify(process.resourceUsage())))`;
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${heapMiB}`,
      '--import',
      `data:text/javascript,${encodeURIComponent(report)}`,
      path.join(import.meta.dirname, '..', `${command}.ts`),
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (more: string) => (stdout += more));
  child.stderr.setEncoding('utf8').on('data', (more: string) => (stderr += more));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const [said = '', used = '{}'] = stderr.split(mark);
      const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(used) as NodeJS.ResourceUsage;
      resolve({
        code,
        stdout,
        stderr: said,
        seconds: (performance.now() - started) / 1_000,
        cpuSeconds: (userCPUTime + systemCPUTime) / 1_000_000,
        maxRssMiB: maxRSS / 1_024,
      });
    });
  });
}
