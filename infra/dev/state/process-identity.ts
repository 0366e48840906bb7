import fs from 'node:fs';

/**
 * A process for ever: its number and its start time. Numbers are used again, the pair is not. Undefined when it is gone, or a zombie that
 * nobody has reaped; the number alone where there is no /proc.
 */
export function identityOf(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid < 1) return undefined;
  let stat: string;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return isThere(pid) ? String(pid) : undefined;
  }
  // The name, in parentheses, may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid} ${fields[19]}`;
}

/** The process that a noted identity means, if it still lives. */
export function livingProcess(noted: string): number | undefined {
  const [number, startedAt] = noted.trim().split(' ');
  const pid = Number(number);
  const identity = identityOf(pid);
  if (identity === undefined) return undefined;
  const isSame = startedAt === undefined || !identity.includes(' ') || identity === noted.trim();
  return isSame ? pid : undefined;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // somebody else's
  }
}
