import { callerScope, operatorScope, type Scope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import { turnLoader } from '@agentstore/kernel/db/turn-loader';
import { toGlobalId } from '@agentstore/kernel/ids';
import { builder, connection } from '../builder.ts';
import { OrderRef, RunRef } from '../references.graphql.ts';
import {
  transfersOf,
  usageOf,
  type LedgerEntry,
  type Transfer,
  type UsageLine,
} from './ledger-entries.store.ts';

export const LedgerEntryKindEnum = builder.enumType('LedgerEntryKind', {
  description: 'What changed a wallet.',
  values: {
    TOP_UP: { description: 'Credits bought with money (a credit pack).' },
    GRANT: { description: 'Credits given: by a plan, a trial or a promotion.' },
    SETTLEMENT: { description: 'A run was charged.' },
    EXPIRY: { description: 'A grant reached its end with credits left.' },
    REFUND: { description: 'A top-up was taken back because its order was refunded or cancelled.' },
    ADJUSTMENT: { description: 'An operator corrected the wallet.' },
  } as const,
});

const TransferType = builder.objectRef<Transfer>('Transfer').implement({
  description:
    'One double-entry row of a ledger entry: credits go from the debit account to the credit account.',
  fields: (t) => ({
    debitAccount: t.exposeString('debitAccount', {
      description: 'Where the credits come from, e.g. `wallet:<organization>`.',
    }),
    creditAccount: t.exposeString('creditAccount', {
      description: 'Where they go, e.g. `platform:revenue`.',
    }),
    amount: t.expose('amount', { type: 'MicroCredits', description: 'Always more than zero.' }),
    code: t.exposeString('code', {
      description:
        'Why: USAGE, PROMO_USAGE, SHORTFALL, PAID, PLAN, TRIAL, PROMO, DEBT_REPAID, GRANT_EXPIRED, CLAWBACK, CLAWBACK_OWED, ADJUSTMENT, ABOVE_MAX_CHARGE.',
    }),
  }),
});

const UsageLineType = builder.objectRef<UsageLine>('UsageLine').implement({
  description: 'What was used of one priced dimension.',
  fields: (t) => ({
    dimension: t.exposeString('dimension', {
      description: 'run, input_token, output_token, tool_call or second.',
    }),
    quantity: t.string({
      description: 'A decimal count of units.',
      resolve: (line) => line.quantity.toString(),
    }),
    unitPrice: t.expose('unitPrice', { type: 'MicroCredits', description: 'Price of 1,000,000 units.' }),
    amount: t.expose('amount', {
      type: 'MicroCredits',
      description:
        'Price of this line; the lines add up to the transfers, with what the store bears above the maximum of a run.',
    }),
  }),
});

/** An entry is reached only through a wallet or an order that the caller may see; operators see those they corrected. */
const readScope = (caller: Caller): Scope =>
  caller.kind === 'USER' && caller.operator ? operatorScope(caller) : callerScope(caller, 'wallet:read');
const loadTransfers = turnLoader(readScope, transfersOf);
const loadUsage = turnLoader(readScope, usageOf);

export const LedgerEntryType = builder.objectRef<LedgerEntry>('LedgerEntry').implement({
  description:
    'One change of a wallet, with the transfers that make it up. Entries are never changed; a correction is another entry.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: (entry) => toGlobalId('LedgerEntry', entry.id) }),
    seq: t.int({
      description: '1, 2, 3 … without gaps within the wallet.',
      resolve: (entry) => Number(entry.seq),
    }),
    kind: t.expose('kind', { type: LedgerEntryKindEnum, description: 'What happened.' }),
    amount: t.expose('amount', {
      type: 'MicroCredits',
      description: "Change of the wallet's balance; negative when credits left it.",
    }),
    balanceAfter: t.expose('balanceAfter', {
      type: 'MicroCredits',
      description: 'Balance right after this entry.',
    }),
    at: t.expose('at', { type: 'DateTime', description: "When, by the ledger's clock." }),
    run: t.field({
      type: RunRef,
      nullable: true,
      description: 'The run that was charged.',
      resolve: (entry) => (entry.runId ? { id: toGlobalId('Run', entry.runId) } : null),
    }),
    order: t.field({
      type: OrderRef,
      nullable: true,
      description: 'The order whose line caused it.',
      resolve: (entry) => (entry.saleorOrderId ? { id: entry.saleorOrderId } : null),
    }),
    transfers: t.field({
      type: [TransferType],
      description: 'The double-entry rows.',
      resolve: async ({ id }, _args, context) => (await loadTransfers(context, id)) ?? [],
    }),
    usage: t.field({
      type: [UsageLineType],
      description: 'What a settlement charged for; empty for other kinds.',
      resolve: async ({ id }, _args, context) => (await loadUsage(context, id)) ?? [],
    }),
  }),
});

export const LedgerEntryConnection = connection('LedgerEntry', LedgerEntryType);
