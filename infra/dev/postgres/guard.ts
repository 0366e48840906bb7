import { spawn } from 'node:child_process';

/**
 * Ends process `pid` when this process ends, however it ends: a shell in a session of its own reads a pipe that only we hold open, and acts when
 * the kernel closes it. So no orphan is left by kill -9. What does not end within 10 s gets SIGQUIT. The answer calls the guard off; do
 * that when `pid` has ended, since the number may be given to another process.
 */
export function guard(pid: number, signal: 'INT' | 'TERM' | 'KILL' = 'INT'): () => void {
  const script = `read -r _
    kill -"$2" "$1" 2>/dev/null
    n=0; while [ $n -lt 100 ] && kill -0 "$1" 2>/dev/null; do sleep 0.1; n=$((n+1)); done
    [ $n -lt 100 ] || kill -QUIT "$1"`;
  const watcher = spawn('sh', ['-c', script, 'guard', String(pid), signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return () => void watcher.kill('SIGKILL');
}
