import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DevDescription } from '../../../infra/dev/state/description.ts';
import { keepPorts, type Ports } from '../../../infra/dev/state/ports.ts';
import { freePorts } from '../../setup/free-ports.ts';

const start = path.join(import.meta.dirname, '../../../infra/dev/main.js');

/** A `npm start` of a test, in a process of its own. */
export interface StartedStore {
  /** All it has printed until now. */
  said(): string;
  /** Resolves when it has printed this text; rejects when it ended before. */
  says(text: string): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Its exit code. */
  ended(): Promise<number | null>;
}

/** A state directory, its ports, and the stores that were started on it. */
export interface StateDirectory {
  readonly path: string;
  readonly ports: Ports;
  start(...options: string[]): StartedStore;
  description(): DevDescription;
  /** Processes that still work in it, with their command lines. */
  processes(): string[];
  remove(): Promise<void>;
}

export async function stateDirectory(): Promise<StateDirectory> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'agentstore-start-'));
  fs.chmodSync(home, 0o711); // as root PostgreSQL runs under another account, which has to pass through
  const state = path.join(home, 'state');
  fs.mkdirSync(state);
  const ports = await freePorts();
  keepPorts(state, ports);
  const children: ChildProcess[] = [];
  return {
    path: state,
    ports,
    start(...options) {
      const child = spawn(process.execPath, [start, '--state', state, ...options], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.push(child);
      return watch(child);
    },
    description: () => JSON.parse(fs.readFileSync(path.join(state, 'dev.json'), 'utf8')) as DevDescription,
    processes: () =>
      fs
        .readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => `${pid} ${commandLine(pid)}`)
        .filter((line) => line.includes(state)),
    async remove() {
      await Promise.all(
        children
          .filter((child) => child.exitCode === null && child.signalCode === null)
          .map((child) => {
            const gone = once(child, 'exit');
            child.kill('SIGTERM');
            return gone;
          }),
      );
      fs.rmSync(home, { recursive: true, force: true });
    },
  };
}

function watch(child: ChildProcess): StartedStore {
  let text = '';
  let hasEnded = false;
  const waiting = new Set<() => void>();
  const ring = (): void => waiting.forEach((look) => look());
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      ring();
    });
  const ended = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      hasEnded = true;
      resolve(code);
      ring();
    }),
  );
  return {
    said: () => text,
    says: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.includes(wanted)) resolve();
          else if (hasEnded) reject(new Error(`it ended without saying "${wanted}":\n${text}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    signal: (name) => void child.kill(name),
    ended: () => ended,
  };
}

function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
