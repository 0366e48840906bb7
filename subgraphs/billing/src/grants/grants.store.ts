import type { Database, Tx } from '@agentstore/kernel/db/database';
import { hashOf } from '@agentstore/kernel/canonical-json';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { outcomeOf, type SqlAnswer } from '../answer.ts';

/** PAID by an order's credit pack, PLAN included in a plan, TRIAL once per organization, PROMO by the store, REFUND given back. */
export type GrantKind = 'PAID' | 'PLAN' | 'TRIAL' | 'PROMO' | 'REFUND';

export interface Grant {
  readonly id: Uuid;
  readonly kind: GrantKind;
  readonly granted: bigint;
  readonly remaining: bigint;
  readonly effectiveAt: Date;
  readonly expiresAt: Date | null;
  readonly source: string;
}

export interface TopUp {
  readonly organizationId: Uuid;
  /** Business key, kept for ever: `saleor:<orderId>:<lineId>`, `trial:<organizationId>`. */
  readonly key: string;
  readonly kind: GrantKind;
  readonly credits: bigint;
  readonly expiresAfterDays?: number | undefined;
  readonly order?: { saleorApiUrl: string; orderId: string; lineId: string } | undefined;
}

/** Adds credits once per key; one round trip. */
export async function topUp(db: Database, input: TopUp, actor: string) {
  const [row] = await db.statement<{ answer: SqlAnswer }>(
    'top_up',
    '-- topUp\n select top_up($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as answer',
    [
      input.organizationId,
      input.key,
      hashOf(input),
      uuidv7(),
      uuidv7(),
      uuidv7(),
      input.kind,
      input.credits,
      input.expiresAfterDays ?? null,
      input.order ? JSON.stringify(input.order) : null,
      actor,
    ],
  );
  return outcomeOf<{ ledgerEntryId: Uuid; balance: string; replayed: boolean }>(row!.answer);
}

/** Takes a revoked top-up back once per key; one round trip. One that has not come (`ledgerEntryId` null) is refused when it does. */
export async function clawBack(
  db: Database,
  input: { organizationId: Uuid; key: string; topUpKey: string },
  actor: string,
) {
  const [row] = await db.statement<{ answer: SqlAnswer }>(
    'claw_back',
    '-- clawBack\n select claw_back($1, $2, $3, $4, $5) as answer',
    [input.organizationId, input.key, input.topUpKey, uuidv7(), actor],
  );
  return outcomeOf<{ ledgerEntryId: Uuid | null; taken: string; receivable: string; replayed: boolean }>(
    row!.answer,
  );
}

/** Grants of a wallet in the order in which `draw_grants` burns them. */
export const grantsOf = (tx: Tx, organizationId: Uuid, includeSpent: boolean) =>
  tx.sql<Grant>(
    `-- grantsOf
     select id, kind, granted, remaining, effective_at as "effectiveAt", expires_at as "expiresAt", source_key as source
     from grants where organization_id = $1 and ($2 or remaining > 0)
     order by (expires_at is not null and expires_at <= now()), priority, expires_at nulls last, effective_at, id`,
    [organizationId, includeSpent],
  );
