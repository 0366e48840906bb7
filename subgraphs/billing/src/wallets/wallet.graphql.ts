import { GraphQLError } from 'graphql';
import { callerScope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import { pageOf, pageRequest } from '@agentstore/kernel/graphql/connection';
import { fromGlobalId, toGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import type { Room } from '../deps.ts';
import { grantsOf, type Grant } from '../grants/grants.store.ts';
import {
  LedgerEntryConnection,
  LedgerEntryKindEnum,
  LedgerEntryType,
} from '../ledger/ledger-entry.graphql.ts';
import { balanceAt, entriesOf, entriesOfOrder } from '../ledger/ledger-entries.store.ts';
import { OrderRef, RunRef } from '../references.graphql.ts';
import type { Reservation } from '../reservations/reservation.ts';
import { reservationsOf } from '../reservations/reservations.store.ts';
import { inWallet, readWallet } from './read-wallet.ts';
import { stateOf } from './wallet.ts';
import type { Wallet } from './wallets.store.ts';

const ReservationStateEnum = builder.enumType('ReservationState', {
  description: 'What became of credits held for a run.',
  values: {
    OPEN: { description: 'Held; the run is under way.' },
    SETTLED: { description: 'The run was charged.' },
    RELEASED: { description: 'Given back unused.' },
    EXPIRED: { description: 'Ended by the sweep, charged at what was reported until then.' },
  } as const,
});

const ReservationType = builder.objectRef<Reservation>('Reservation').implement({
  description: 'Credits held for one run.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Reservation', id) }),
    amount: t.expose('amount', { type: 'MicroCredits', description: 'How much is held.' }),
    state: t.expose('state', { type: ReservationStateEnum, description: 'Where it stands.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When the sweep ends it unless its run keeps it alive.',
    }),
    run: t.field({
      type: RunRef,
      nullable: true,
      description: 'The run it is held for.',
      resolve: ({ id }) => ({ id: toGlobalId('Run', id) }),
    }),
  }),
});

const GrantKindEnum = builder.enumType('GrantKind', {
  description: 'Where granted credits come from.',
  values: {
    PAID: { description: 'Bought as a credit pack.' },
    PLAN: { description: 'Included in a plan.' },
    TRIAL: { description: 'Given once to a new organization.' },
    PROMO: { description: 'Given by the store.' },
    REFUND: { description: 'Given back for a settlement in error.' },
  } as const,
});

const GrantType = builder.objectRef<Grant>('Grant').implement({
  description:
    'Credits given at one time, with their own end. Grants are burnt kind by kind: trial, promotional, of a plan, given back, paid; within a kind the earliest end first (never is last), then the oldest. What is left of one that has ended, because runs held it, comes last of all.',
  fields: (t) => ({
    id: t.id({ description: 'Opaque id.', resolve: ({ id }) => toGlobalId('Grant', id) }),
    kind: t.expose('kind', { type: GrantKindEnum, description: 'Where it comes from.' }),
    granted: t.expose('granted', { type: 'MicroCredits', description: 'How much was given.' }),
    remaining: t.expose('remaining', { type: 'MicroCredits', description: 'How much of it is left.' }),
    effectiveAt: t.expose('effectiveAt', { type: 'DateTime', description: 'From when it can be spent.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When what is left ends; null for never.',
    }),
    source: t.exposeString('source', { description: 'The business key it was granted under.' }),
  }),
});

const WalletStateEnum = builder.enumType('WalletState', {
  description: 'Whether runs can be started from a wallet.',
  values: {
    OPEN: { description: 'Credits are available.' },
    DEPLETED: { description: 'Nothing is available now.' },
    FROZEN: { description: 'Stopped by an operator.' },
  } as const,
});

const Organization = builder.objectRef<{ id: string }>('Organization');

export const WalletType = builder.objectRef<Wallet>('Wallet').implement({
  description:
    "An organization's credits. balance = posted credits; reserved = held by open reservations; available = balance - reserved, all read in one statement.",
  fields: (t) => ({
    id: t.id({
      description: 'Opaque id.',
      resolve: ({ organizationId }) => toGlobalId('Wallet', organizationId),
    }),
    organization: t.field({
      type: Organization,
      description: 'Whose it is.',
      resolve: ({ organizationId }) => ({ id: toGlobalId('Organization', organizationId) }),
    }),
    balance: t.expose('balance', { type: 'MicroCredits', description: 'Posted credits.' }),
    reserved: t.expose('reserved', { type: 'MicroCredits', description: 'Held by open reservations.' }),
    available: t.field({
      type: 'MicroCredits',
      description: 'balance - reserved.',
      resolve: ({ balance, reserved }) => balance - reserved,
    }),
    debt: t.expose('debt', {
      type: 'MicroCredits',
      description: 'Owed for usage above the balance; the next top-up pays it first.',
    }),
    state: t.field({
      type: WalletStateEnum,
      description: 'Whether runs can be started from it.',
      resolve: stateOf,
    }),
    balanceAt: t.field({
      type: 'MicroCredits',
      description: 'Balance at an instant in the past.',
      args: { at: t.arg({ type: 'DateTime', description: 'The instant.' }) },
      resolve: (wallet, { at }, context) =>
        within(context, wallet, (tx) => balanceAt(tx, wallet.organizationId, at)),
    }),
    grants: t.field({
      type: [GrantType],
      description: 'Its grants in the order in which they are burnt.',
      args: {
        includeSpent: t.arg.boolean({
          required: false,
          defaultValue: false,
          description: 'Whether to show grants with nothing left.',
        }),
      },
      resolve: (wallet, { includeSpent }, context) =>
        within(context, wallet, (tx) => grantsOf(tx, wallet.organizationId, includeSpent ?? false)),
    }),
    ledgerEntries: t.field({
      type: LedgerEntryConnection,
      description: 'Its entries, newest first.',
      args: {
        first: t.arg.int({ required: false, description: 'How many, 1 to 100; 20 unless said.' }),
        after: t.arg.string({ required: false, description: 'Cursor of the entry before.' }),
        kind: t.arg({ type: [LedgerEntryKindEnum], required: false, description: 'Only these kinds.' }),
      },
      resolve: (wallet, args, context) => {
        const page = pageRequest(args, 'seq');
        const total = args.kind ? null : Number(wallet.seq);
        return within(context, wallet, async (tx) =>
          pageOf(
            await entriesOf(tx, wallet.organizationId, args.kind ?? null, page),
            page,
            (entry) => entry.seq.toString(),
            total,
          ),
        );
      },
    }),
    reservations: t.field({
      type: [ReservationType],
      description: 'Its latest 200 reservations, newest first.',
      args: {
        state: t.arg({ type: [ReservationStateEnum], required: false, description: 'Only in these states.' }),
      },
      resolve: (wallet, { state }, context) =>
        within(context, wallet, (tx) => reservationsOf(tx, wallet.organizationId, state ?? null)),
    }),
  }),
});

Organization.implement({
  description: 'A customer of the store.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    wallet: t.field({
      type: WalletType,
      description: 'Its credits.',
      resolve: async ({ id }, _args, { deps, caller }) => {
        const wallet = await readWallet(deps, caller, fromGlobalId('Organization', id));
        if (!wallet)
          throw new GraphQLError('There is no such organization.', { extensions: { code: 'NOT_FOUND' } });
        return wallet;
      },
    }),
  }),
});
builder.asEntity(Organization, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

builder.objectField(OrderRef, 'topUps', (t) =>
  t.field({
    type: [LedgerEntryType],
    description: 'What its lines added to wallets that the caller may see.',
    resolve: ({ id }, _args, { deps, caller }) =>
      caller.kind === 'ANONYMOUS'
        ? []
        : deps.db.transaction(callerScope(caller, 'wallet:read'), (tx) => entriesOfOrder(tx, id)),
  }),
);

builder.queryType({ description: 'Reads.' });
builder.queryField('wallet', (t) =>
  t.field({
    type: WalletType,
    nullable: true,
    description: "An organization's wallet; null when the caller does not belong there.",
    args: { organizationId: t.arg.id({ description: 'Whose.' }) },
    resolve: (_root, { organizationId }, { deps, caller }) =>
      readWallet(deps, caller, fromGlobalId('Organization', organizationId)),
  }),
);

builder.subscriptionType({ description: 'Follows.' });
builder.subscriptionField('walletChanged', (t) =>
  t.field({
    type: WalletType,
    description: 'The wallet now, and again each time it changes.',
    args: { organizationId: t.arg.id({ description: 'Whose.' }) },
    subscribe: (_root, { organizationId }, { deps, caller, request }) =>
      followWallet(deps, caller, { organizationId, signal: request.signal }),
    resolve: (wallet) => wallet,
  }),
);

async function* followWallet(
  deps: Room,
  caller: Caller,
  { organizationId, signal }: { organizationId: string; signal: AbortSignal },
): AsyncGenerator<Wallet> {
  const id = fromGlobalId('Organization', organizationId);
  let last = '';
  for await (const _change of deps.walletChanges.follow(id ?? '', signal)) {
    const wallet = await readWallet(deps, caller, id);
    if (!wallet)
      throw new GraphQLError('There is no such organization.', { extensions: { code: 'NOT_FOUND' } });
    const now = `${wallet.balance} ${wallet.reserved} ${wallet.debt} ${wallet.state}`;
    if (now !== last) yield wallet;
    last = now;
  }
}

/** More about a wallet, or NOT_FOUND for a caller who is not of its organization. */
async function within<T>(
  { deps, caller }: { deps: Room; caller: Caller },
  { organizationId }: Wallet,
  read: (tx: Tx) => Promise<T>,
): Promise<T> {
  const found = await inWallet(deps, caller, { organizationId, read });
  if (found === undefined)
    throw new GraphQLError('There is no such wallet.', { extensions: { code: 'NOT_FOUND' } });
  return found;
}
