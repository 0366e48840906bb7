import { spawn } from 'node:child_process';

/**
 * Signals `pid` when this process ends, however it ends: a shell in a session of its own reads a pipe that only we hold open, and acts when
 * the kernel closes it. So no orphan is left by kill -9.
 */
export function guard(pid: number, signal: 'INT' | 'TERM' | 'KILL' = 'INT'): void {
  const watcher = spawn('sh', ['-c', 'cat >/dev/null; kill -"$2" "$1" 2>/dev/null', 'guard', String(pid), signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
}
