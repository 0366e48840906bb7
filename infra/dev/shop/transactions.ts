import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import {
  amountsFrom,
  checkReference,
  described,
  holderOf,
  lockTransaction,
  newTransaction,
  nothing,
  requireHandler,
  state,
  withInfo,
  type TransactionInput,
} from './edit-transaction.ts';
import { pkOf } from './global-id.ts';
import { settleTransaction } from './order.ts';
import { payload } from './payload.ts';
import { reportEvent, type ReportArgs } from './report-transaction.ts';

export const transactionQueries = {
  transaction: async (_: unknown, args: { id?: string | null; token?: string | null }, ctx: ShopContext) => {
    await requirePermission(ctx, ['HANDLE_PAYMENTS', 'MANAGE_ORDERS']);
    return ctx.store.get('TransactionItem', args.id ? pkOf('TransactionItem', args.id) : (args.token ?? ''));
  },
};

export const transactionMutations = {
  transactionCreate: (
    _: unknown,
    args: {
      id: string;
      transaction: TransactionInput;
      transactionEvent?: { pspReference?: string | null; message?: string | null } | null;
    },
    ctx: ShopContext,
  ) =>
    payload(async () => {
      const issuedBy = await requirePermission(ctx, ['HANDLE_PAYMENTS']);
      return mutate(ctx, async (tx) => {
        const holder = await holderOf(tx, args.id);
        const amounts = amountsFrom(args.transaction, holder.currency);
        await checkReference(tx, args.transaction.pspReference);
        const made = described(
          await newTransaction(ctx, tx, { holder, amounts, name: '', pspReference: '' }),
          args.transaction,
        );
        const transaction = await withInfo(tx, made, args.transactionEvent);
        await tx.put('TransactionItem', transaction);
        if (Object.keys(amounts).length)
          await settleTransaction(ctx, tx, { transaction, before: nothing, issuedBy });
        return { transaction };
      });
    }),
  transactionUpdate: (
    _: unknown,
    args: {
      id?: string | null;
      token?: string | null;
      transaction?: TransactionInput | null;
      transactionEvent?: { pspReference?: string | null; message?: string | null } | null;
    },
    ctx: ShopContext,
  ) =>
    payload(() =>
      mutate(ctx, async (tx) => {
        const old = await lockTransaction(tx, args);
        const issuedBy = await requireHandler(ctx, old);
        const input = args.transaction ?? {};
        await checkReference(tx, input.pspReference, old.pk);
        const stated = await state(
          tx,
          timestamp(ctx.shop),
          described(old, input),
          amountsFrom(input, old.currency),
        );
        const transaction = await withInfo(tx, stated, args.transactionEvent);
        await tx.put('TransactionItem', transaction);
        await settleTransaction(ctx, tx, { transaction, before: old, issuedBy });
        return { transaction };
      }),
    ),
  transactionEventReport: (_: unknown, args: ReportArgs, ctx: ShopContext) =>
    payload(() => mutate(ctx, (tx) => reportEvent(ctx, tx, args)), { alreadyProcessed: false }),
};
