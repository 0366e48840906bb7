import { beforeEach, expect, it } from 'vitest';
import { newRun, useLedger } from '@agentstore/billing/testing/ledger';
import { credits } from '@agentstore/kernel/credits';
import { invariants } from '../../infra/doctor/ledger.ts';

/** `useLedger` asserts after each test that all invariants hold again: what a test breaks is rolled back. */
const ledger = useLedger();
let settled = newRun();

/** A ledger with a bit of everything: a grant, a settled run, an open reservation. */
beforeEach(async () => {
  settled = newRun();
  await ledger.grant(credits(100), 'PAID', { expiresAfterDays: 30 });
  await ledger.authorize(settled);
  await ledger.settle(settled);
  await ledger.authorize();
});

/** One corruption per invariant, in SQL; `:organization` and `:run` are the ledger's own. */
const corruptions: Readonly<Record<string, string>> = {
  'wallet.reserved is the sum of its open reservations':
    'update wallet set reserved = reserved + 1 where organization_id = :organization',
  'wallet.balance is the balance after its last entry':
    'update wallet set balance = balance + 1 where organization_id = :organization',
  'wallet.balance is the sum of credits minus debits of its account':
    "update transfer set amount = amount + 1 where entry_id = :run and debit_account = 'wallet:' || :organization",
  'wallet.balance is the sum of what is left of its grants':
    'update grants set remaining = remaining - 1 where organization_id = :organization',
  'wallet.debt is what its receivable account is owed':
    'update wallet set debt = debt + 1 where organization_id = :organization',
  'ledger seq is 1, 2, 3 … without gaps or forks': 'update ledger_entry set seq = seq + 1 where id = :run',
  'an entry changes the balance by its amount': 'update ledger_entry set amount = amount + 1 where id = :run',
  'an entry moves its wallet by the sum of its transfers': 'delete from transfer where entry_id = :run',
  'a settled reservation has its one settling entry, an open or released one has none':
    "update reservation set status = 'RELEASED' where id = :run",
  'a settlement is of a reservation of its organization': 'delete from reservation where id = :run',
  'what a run was charged is what its entries moved':
    'update reservation set charged = charged + 1 where id = :run',
  'the store bears only what a run used above its own maximum':
    "update transfer set debit_account = 'platform:absorbed' where entry_id = :run",
  'usage lines add up to the charge and what the store bears above it':
    "update usage_line set amount = amount + 1 where entry_id = :run and dimension = 'run'",
  'grants were drawn for what left the wallet': 'delete from grant_draw where entry_id = :run',
  'what is left of a grant is what was granted minus its draws':
    'update grants set granted = granted + 1 where organization_id = :organization',
  'the sum over all ledger accounts is zero':
    "delete from ledger_account where id = 'wallet:' || :organization",
  'a transfer is between accounts of its organization and of the platform': `
    insert into ledger_account (id, kind, organization_id) values ('wallet:stranger', 'wallet', gen_random_uuid());
    update transfer set debit_account = 'wallet:stranger' where entry_id = :run`,
  'a transfer, usage line or draw belongs to an entry of its organization':
    'update usage_line set organization_id = gen_random_uuid() where entry_id = :run',
  'a wallet knows the earliest end of its grants':
    "update wallet set next_expiry = next_expiry + interval '1 day' where organization_id = :organization",
  'a line of an order gives credits once, to one organization': `
    insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, saleor_api_url, saleor_order_id, saleor_line_id, actor)
      select gen_random_uuid(), gen_random_uuid(), 1, kind, 0, 0, 'https://shop.test/graphql/', 'order', 'line', 'test'
      from unnest(array['TOP_UP', 'GRANT']) kind`,
};

it('each invariant is broken once below', () => {
  const names = invariants.map((statement) => /^select '([^']+)' as invariant/.exec(statement)?.[1] ?? '');
  expect(new Set(Object.keys(corruptions))).toEqual(new Set(names));
});

/** What is reported after a corruption that the ledger's own guards (triggers, foreign keys) did not see. */
async function reportedAfter(corruption: string): Promise<Set<string>> {
  const { admin, organizationId } = ledger;
  await admin.query("begin; set local session_replication_role = 'replica'");
  try {
    await admin.query(
      corruption.replaceAll(':organization', `'${organizationId}'`).replaceAll(':run', `'${settled}'`),
    );
    const reported = new Set<string>();
    for (const statement of invariants)
      for (const { invariant } of (await admin.query<{ invariant: string }>(statement)).rows)
        reported.add(invariant);
    return reported;
  } finally {
    await admin.query('rollback');
  }
}

it.each(Object.entries(corruptions))('%s: its breach is reported', async (invariant, corruption) => {
  expect(await reportedAfter(corruption)).toContain(invariant);
});

it('what belongs to no wallet is reported', async () => {
  const reported = await reportedAfter('delete from wallet where organization_id = :organization');
  expect([...reported].filter((name) => name.startsWith('wallet.')).sort()).toEqual([
    'wallet.balance is the balance after its last entry',
    'wallet.balance is the sum of credits minus debits of its account',
    'wallet.balance is the sum of what is left of its grants',
    'wallet.reserved is the sum of its open reservations',
  ]);
});

it('a debt that no wallet has is reported', async () => {
  expect(
    await reportedAfter(`
      update transfer set debit_account = 'receivable:' || :organization where entry_id = :run;
      delete from wallet where organization_id = :organization`),
  ).toContain('wallet.debt is what its receivable account is owed');
});
