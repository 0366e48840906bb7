import { createHash } from 'node:crypto';
import type { Tx } from './database.ts';

/** How a repeated command ended: done now, answered from the first time, or the key was used for another body. */
export type OnceResult<T> = { kind: 'done' | 'replayed'; answer: T } | { kind: 'conflict' };

/**
 * Runs `work` once per (scope, command, key), in the caller's transaction: the row that records the answer commits with the work.
 * The same key with the same body gets the first answer; with another body, a conflict. A second caller that comes while the first is
 * still open waits on the key's row. `answer` must survive JSON (bigint as strings). Keys are kept for ever.
 */
export async function once<T>(
  tx: Tx,
  command: { scope: string; name: string; key: string; body: unknown },
  work: () => Promise<T>,
): Promise<OnceResult<T>> {
  const bodyHash = hashOf(command.body);
  const claimed = await tx.sql<{ key: string }>(
    `-- once: claim
     insert into idempotency (scope, command, key, body_hash) values ($1, $2, $3, $4)
     on conflict (scope, command, key) do nothing returning key`,
    [command.scope, command.name, command.key, bodyHash],
  );
  if (claimed.length === 0) {
    const [first] = await tx.sql<{ body_hash: string; answer: T }>(
      `-- once: replay
       select body_hash, answer from idempotency where scope = $1 and command = $2 and key = $3`,
      [command.scope, command.name, command.key],
    );
    return first && first.body_hash === bodyHash
      ? { kind: 'replayed', answer: first.answer }
      : { kind: 'conflict' };
  }
  const answer = await work();
  await tx.sql(
    `-- once: answer
     update idempotency set answer = $4 where scope = $1 and command = $2 and key = $3`,
    [command.scope, command.name, command.key, JSON.stringify(answer)],
  );
  return { kind: 'done', answer };
}

/** sha256 of a canonical JSON text: object members sorted, bigint as strings. */
export function hashOf(body: unknown): string {
  return createHash('sha256').update(canonicalJson(body)).digest('hex');
}

/** JSON with sorted members, so that equal values give equal bytes. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'bigint') return JSON.stringify(value.toString());
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object' && !(value instanceof Date)) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
