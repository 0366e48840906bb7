import { timestamp, type ShopContext } from './context.ts';
import { event, lockTransaction, requireHandler } from './edit-transaction.ts';
import type { InputError } from './errors.ts';
import { toMinor } from './money.ts';
import { settleTransaction } from './order.ts';
import type { TransactionRecord } from './records.ts';
import type { WritableStore } from './store.ts';
import { amountsOf, judgeReport } from './transaction.ts';
import { withCurrency } from './transaction-types.ts';

/** Arguments of transactionEventReport. */
export interface ReportArgs {
  id?: string | null;
  token?: string | null;
  amount?: string | null;
  type: string;
  pspReference: string;
  message?: string | null;
  externalUrl?: string | null;
  time?: string | null;
  availableActions?: string[] | null;
}

/** Takes down what the payment provider says it did, once per (pspReference, type), and settles the order. */
export async function reportEvent(ctx: ShopContext, tx: WritableStore, args: ReportArgs) {
  const old = await lockTransaction(tx, args);
  const issuedBy = await requireHandler(ctx, old);
  const amount =
    args.amount == null ? inferredAmount(old, args.type) : (toMinor(args.amount, old.currency) ?? 0);
  const decision = judgeReport(old, { type: args.type, pspReference: args.pspReference, amount });
  const made = await event(tx, args.time ?? timestamp(ctx.shop), {
    type: args.type,
    amount,
    pspReference: args.pspReference,
    message: args.message ?? '',
    externalUrl: args.externalUrl ?? '',
  });
  if (decision === 'already processed') {
    const known = old.events.find((one) => one.type === args.type && one.pspReference === args.pspReference);
    return { alreadyProcessed: true, transaction: old, transactionEvent: withCurrency(known ?? made, old) };
  }
  if (decision !== 'new') {
    // The refusal itself is kept, as a failure that does not count.
    const failure = {
      ...made,
      type: args.type.replace(/_(SUCCESS|REQUEST|REVERSE|ADJUSTMENT|BACK)$/, '_FAILURE'),
      counted: false,
    };
    const transaction = { ...old, events: [...old.events, failure], updatedAt: timestamp(ctx.shop) };
    await tx.put('TransactionItem', transaction);
    return {
      alreadyProcessed: false,
      transaction,
      transactionEvent: withCurrency(failure, old),
      errors: [reportError(decision)],
    };
  }
  const events = [...old.events, { ...made, counted: args.type !== 'INFO' }];
  const actions = args.availableActions ? [...new Set(args.availableActions)] : old.actions;
  const transaction = { ...old, events, actions, ...amountsOf(events), updatedAt: timestamp(ctx.shop) };
  await tx.put('TransactionItem', transaction);
  await settleTransaction(ctx, tx, { transaction, before: old, issuedBy });
  return { alreadyProcessed: false, transaction, transactionEvent: withCurrency(made, old) };
}

const reportError = (decision: 'other amount' | 'already authorized'): InputError =>
  decision === 'other amount'
    ? {
        field: 'pspReference',
        code: 'INCORRECT_DETAILS',
        message:
          'The transaction with provided `pspReference` and `type` already exists with different amount.',
      }
    : {
        field: 'type',
        code: 'ALREADY_EXISTS',
        message:
          'Event with `AUTHORIZATION_SUCCESS` already reported for the transaction. Use `AUTHORIZATION_ADJUSTMENT` to change the authorization amount.',
      };

/** Without an amount a report means all there is. */
function inferredAmount(transaction: TransactionRecord, type: string): number {
  if (type.startsWith('REFUND') || type === 'CHARGE_BACK') return transaction.charged;
  if (type.startsWith('CHARGE') || type.startsWith('CANCEL')) return transaction.authorized;
  return 0;
}
