import type { Tx } from '@agentstore/kernel/db/database';

/** Up to where a shop's changes were read; made when it registers the app. */
export async function pollMark(tx: Tx, saleorApiUrl: string): Promise<Date | undefined> {
  const [row] = await tx.sql<{ updatedAt: Date }>(
    '-- pollMark\n select updated_at as "updatedAt" from poll_mark where saleor_api_url = $1',
    [saleorApiUrl],
  );
  return row?.updatedAt;
}

export const movePollMark = (tx: Tx, saleorApiUrl: string, updatedAt: Date) =>
  tx.sql(
    `-- movePollMark
     insert into poll_mark (saleor_api_url, updated_at) values ($1, $2) on conflict (saleor_api_url) do update set updated_at = greatest(poll_mark.updated_at, excluded.updated_at)`,
    [saleorApiUrl, updatedAt],
  );
