import type { ShopContext } from './context.ts';
import { toId } from './global-id.ts';
import { idField, metadataFields } from './metadata.ts';
import { money } from './money.ts';
import type { TransactionEventRecord, TransactionRecord } from './records.ts';

type EventSource = TransactionEventRecord & {
  readonly currency: string;
  readonly by: Pick<TransactionRecord, 'createdByApp' | 'createdByUser'>;
};
/** An event with what its resolvers need of the transaction. */
export const withCurrency = (one: TransactionEventRecord, transaction: TransactionRecord): EventSource => ({
  ...one,
  currency: transaction.currency,
  by: transaction,
});
const creator = async (by: EventSource['by'], ctx: ShopContext) => {
  const app = by.createdByApp ? await ctx.store.get('App', by.createdByApp) : undefined;
  if (app) return { __typename: 'App', ...app };
  const user = by.createdByUser ? await ctx.store.get('User', by.createdByUser) : undefined;
  return user ? { __typename: 'User', ...user } : null;
};

export const transactionTypes = {
  TransactionItem: {
    ...idField('TransactionItem'),
    ...metadataFields('TransactionItem'),
    token: (transaction: TransactionRecord) => transaction.pk,
    modifiedAt: (transaction: TransactionRecord) => transaction.updatedAt,
    authorizedAmount: (transaction: TransactionRecord) => money(transaction.authorized, transaction.currency),
    chargedAmount: (transaction: TransactionRecord) => money(transaction.charged, transaction.currency),
    refundedAmount: (transaction: TransactionRecord) => money(transaction.refunded, transaction.currency),
    canceledAmount: (transaction: TransactionRecord) => money(transaction.canceled, transaction.currency),
    order: (transaction: TransactionRecord, _: unknown, ctx: ShopContext) =>
      transaction.order ? ctx.store.get('Order', transaction.order) : null,
    checkout: (transaction: TransactionRecord, _: unknown, ctx: ShopContext) =>
      transaction.checkout ? ctx.store.get('Checkout', transaction.checkout) : null,
    events: (transaction: TransactionRecord) =>
      transaction.events.map((one) => withCurrency(one, transaction)),
    createdBy: (transaction: TransactionRecord, _: unknown, ctx: ShopContext) => creator(transaction, ctx),
  },
  TransactionEvent: {
    id: (one: EventSource) => toId('TransactionEvent', one.pk),
    amount: (one: EventSource) => money(one.amount, one.currency),
    createdBy: (one: EventSource, _: unknown, ctx: ShopContext) => creator(one.by, ctx),
  },
};
