import type { Tx } from '@agentstore/kernel/db/database';
import type { PageRequest } from '@agentstore/kernel/graphql/connection';
import type { Uuid } from '@agentstore/kernel/ids';

/** Runs of an instance that know of each other. */
export interface Conversation {
  readonly id: Uuid;
  readonly instanceId: Uuid;
  readonly title: string | null;
  readonly createdAt: Date;
}
const columns = `id, instance_id as "instanceId", title, created_at as "createdAt"`;

export async function conversationById(tx: Tx, id: Uuid): Promise<Conversation | undefined> {
  const [row] = await tx.sql<Conversation>(
    `-- conversationById\n select ${columns} from conversation where id = $1`,
    [id],
  );
  return row;
}

export const conversationsByIds = (tx: Tx, ids: readonly Uuid[]) =>
  tx.sql<Conversation>(`-- conversationsByIds\n select ${columns} from conversation where id = any ($1)`, [
    ids,
  ]);

/** A visitor's own conversations with an instance, newest first. */
export const conversationsOfVisitor = (
  tx: Tx,
  { instanceId, visitorId }: { readonly instanceId: string; readonly visitorId: string },
  page: PageRequest,
) =>
  tx.sql<Conversation>(
    `-- conversationsOfVisitor
     select ${columns} from conversation where instance_id = $1 and visitor_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [instanceId, visitorId, page.afterKey, page.first + 1],
  );

/** Conversations with an instance, newest first. */
export const conversationsOf = (tx: Tx, instanceId: Uuid, page: PageRequest) =>
  tx.sql<Conversation>(
    `-- conversationsOf
     select ${columns} from conversation where instance_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
    [instanceId, page.afterKey, page.first + 1],
  );
