import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';

/** A process that ends when we end. */
export interface Guarded {
  readonly child: ChildProcess;
  /** Calls the guard off; do that when the process has ended, since its number may be given to another one. */
  dismiss(): void;
}

export interface GuardOptions extends Omit<SpawnOptions, 'stdio' | 'detached' | 'signal'> {
  /** Of the process: standard output and error; there is no input. */
  readonly output: ['pipe' | 'ignore', 'pipe' | 'ignore'];
  /** What ends it. After INT, what has not ended within 10 s gets SIGQUIT. */
  readonly signal: 'INT' | 'KILL';
  /** Whether the whole process group gets it, should the process have started others. */
  readonly group?: boolean;
}

/**
 * Starts a process that ends when this process ends, however it ends: a shell in a session of its own reads a pipe that only we hold open, and acts
 * when the kernel closes it. The process writes its number into that pipe itself, before it becomes the command, so there is no moment at which
 * kill -9 of ours leaves an orphan. A command that is not there ends with 127.
 */
export function spawnGuarded(
  command: string,
  args: readonly string[],
  { output, signal, group = false, ...options }: GuardOptions,
): Guarded {
  // It names in its arguments whom it guards, for whoever looks at the list of processes.
  const learn = 'read -r pid || exit 0; exec sh -c "$1" guard "$2$pid" "$3"';
  const watch = `read -r _
    kill -"$2" "$1" 2>/dev/null
    n=0; while [ $n -lt 100 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; n=$((n+1)); done
    [ $n -lt 100 ] || kill -QUIT "$1"`;
  const watcher = spawn('sh', ['-c', learn, 'guard', watch, group ? '-' : '', signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  const child = spawn('sh', ['-c', 'echo $$ >&3; exec 3>&-; exec "$@"', 'guarded', command, ...args], {
    ...options,
    stdio: ['ignore', ...output, watcher.stdin],
    detached: true,
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return { child, dismiss: () => void watcher.kill('SIGKILL') };
}
