import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { systemScope } from '@agentstore/kernel/access';
import { credits } from '@agentstore/kernel/credits';
import type { Database } from '@agentstore/kernel/db/database';
import { uuidv7, type Uuid } from '@agentstore/kernel/ids';
import { openTestDatabase } from '@agentstore/kernel/testing/database';
import { assertInvariants } from '../../../../tests/invariants/assert-invariants.ts';
import { clawBack, topUp, type GrantKind } from '../grants/grants.store.ts';
import { putRateCard } from '../rate-cards/rate-cards.store.ts';
import { authorizeRun, extendRun, releaseRun, settleRun, sweep } from '../reservations/reservations.store.ts';

/** Exactly what the wallet row says, as text. */
export interface WalletRow {
  balance: string;
  reserved: string;
  debt: string;
}

/** A ledger of the test file's own and short hands for its commands, on a fresh organization for each test. */
export interface TestLedger {
  readonly database: Database;
  readonly admin: pg.Client;
  readonly adminUrl: string;
  readonly offeringId: Uuid;
  readonly instanceId: Uuid;
  /** This test's organization. */
  readonly organizationId: Uuid;
  /** Starts a fresh organization within a test. */
  anotherOrganization(): Uuid;
  grant(
    amount: bigint,
    kind?: GrantKind,
    more?: { key?: string; expiresAfterDays?: number },
  ): ReturnType<typeof topUp>;
  authorize(
    runId?: Uuid,
    more?: { amount?: bigint; maxCharge?: bigint; ttlSeconds?: number; bodyHash?: string },
  ): ReturnType<typeof authorizeRun>;
  /** Settles one run and so many tokens: 1 credit + 0.01 credit a token. */
  settle(runId: Uuid, tokens?: bigint): ReturnType<typeof settleRun>;
  release(runId: Uuid): ReturnType<typeof releaseRun>;
  extend(
    runId: Uuid,
    more?: { amount?: bigint; tokens?: bigint; cover?: bigint; seq?: number },
  ): ReturnType<typeof extendRun>;
  clawBack(topUpKey: string, key?: string): ReturnType<typeof clawBack>;
  sweep(): ReturnType<typeof sweep>;
  wallet(): Promise<WalletRow>;
  /** Moves a reservation's end into the past: nobody kept it alive. */
  makeDue(runId: Uuid): Promise<unknown>;
  /** Moves the end of all the organization's grants into the past, as time would. */
  endGrants(kind?: GrantKind): Promise<unknown>;
}

/** Opens it in `beforeAll`, checks every invariant after each test, closes it after the last. Reserves 10 credits unless told. */
export function useLedger(): TestLedger {
  let database: Database;
  let admin: pg.Client;
  let adminUrl: string;
  let organizationId = uuidv7();
  const offeringId = uuidv7();
  const instanceId = uuidv7();

  beforeAll(async () => {
    ({ database, adminUrl } = await openTestDatabase('billing'));
    admin = new pg.Client({ connectionString: adminUrl, options: '-c search_path=billing' });
    await admin.connect();
    // Prices are µcr per million units.
    await database.transaction(systemScope('test'), (tx) =>
      putRateCard(tx, {
        offeringId,
        reserve: credits(10),
        prices: { run: '1000000000000', output_token: '10000000000' },
      }),
    );
  });
  beforeEach(() => void (organizationId = uuidv7()));
  afterEach(() => assertInvariants(adminUrl));
  afterAll(() => admin.end());

  const usage = (tokens: bigint) => [
    { dimension: 'run', quantity: 1n },
    { dimension: 'output_token', quantity: tokens },
  ];
  return {
    get database() {
      return database;
    },
    get admin() {
      return admin;
    },
    get adminUrl() {
      return adminUrl;
    },
    get organizationId() {
      return organizationId;
    },
    offeringId,
    instanceId,
    anotherOrganization: () => (organizationId = uuidv7()),
    grant: (amount, kind = 'PAID', { key = `t:${uuidv7()}`, expiresAfterDays } = {}) =>
      topUp(database, { organizationId, credits: amount, kind, key, expiresAfterDays }, 'test'),
    authorize: (runId = uuidv7(), more = {}) =>
      authorizeRun(database, {
        organizationId,
        runId,
        instanceId,
        offeringId,
        ttlSeconds: 60,
        bodyHash: 'h',
        ...more,
      }),
    settle: (runId, tokens = 100n) =>
      settleRun(database, { organizationId, runId, actor: 'test', usage: usage(tokens) }),
    release: (runId) => releaseRun(database, { organizationId, runId }),
    extend: (runId, { amount = 0n, tokens = 0n, cover, seq = 1 } = {}) =>
      extendRun(database, {
        organizationId,
        runId,
        amount,
        seq,
        ttlSeconds: 60,
        usage: usage(tokens),
        cover: cover === undefined ? undefined : usage(cover),
      }),
    clawBack: (topUpKey, key = `revoke:${topUpKey}`) =>
      clawBack(database, { organizationId, key, topUpKey }, 'test'),
    sweep: () => sweep(database, 100),
    wallet: async () =>
      (
        await admin.query<WalletRow>(
          'select balance, reserved, debt from wallet where organization_id = $1',
          [organizationId],
        )
      ).rows[0]!,
    makeDue: (runId) =>
      admin.query("update reservation set expires_at = now() - interval '1 second' where id = $1", [runId]),
    // What time itself does: the wallet knew the end before it came.
    endGrants: (kind) =>
      admin.query(
        `with ended as (update grants set expires_at = now() - interval '1 minute' where organization_id = $1 and ($2::text is null or kind = $2))
         update wallet set next_expiry = least(next_expiry, now() - interval '1 minute') where organization_id = $1`,
        [organizationId, kind ?? null],
      ),
  };
}

/** A run id of this moment. */
export const newRun = (): Uuid => uuidv7();

/** `ok`, or the refusal's code. */
export const codeOf = (outcome: { ok: boolean; error?: { code: string } }): string =>
  outcome.ok ? 'ok' : outcome.error!.code;

/** So many calls at the same moment. */
export const times = <T>(n: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)));
