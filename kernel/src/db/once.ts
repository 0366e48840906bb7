import { hashOf } from '../canonical-json.ts';
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
