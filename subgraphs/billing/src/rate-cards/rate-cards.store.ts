import type { Tx } from '@agentstore/kernel/db/database';
import { canonicalJson } from '@agentstore/kernel/canonical-json';
import type { Uuid } from '@agentstore/kernel/ids';

/** What an offering's runs cost: µcr per 1,000,000 units of each dimension, and how much is reserved when a run starts. */
export interface RateCard {
  readonly offeringId: Uuid;
  readonly version: number;
  readonly prices: Readonly<Record<string, string>>;
  readonly reserve: bigint;
}

export async function currentRateCard(tx: Tx, offeringId: Uuid): Promise<RateCard | undefined> {
  const [row] = await tx.sql<RateCard>(
    `-- currentRateCard
     select offering_id as "offeringId", version, prices, reserve from rate_card where offering_id = $1 order by version desc limit 1`,
    [offeringId],
  );
  return row;
}

/** Adds a version when it differs from the current one; versions never change, since reservations point at them. */
export async function putRateCard(tx: Tx, card: Omit<RateCard, 'version'>): Promise<number> {
  await tx.sql('-- putRateCard: one writer per offering\n select pg_advisory_xact_lock(hashtext($1))', [
    card.offeringId,
  ]);
  const current = await currentRateCard(tx, card.offeringId);
  if (
    current &&
    canonicalJson(current.prices) === canonicalJson(card.prices) &&
    current.reserve === card.reserve
  )
    return current.version;
  const version = (current?.version ?? 0) + 1;
  await tx.sql(
    '-- putRateCard\n insert into rate_card (offering_id, version, prices, reserve) values ($1, $2, $3, $4)',
    [card.offeringId, version, JSON.stringify(card.prices), card.reserve],
  );
  return version;
}
