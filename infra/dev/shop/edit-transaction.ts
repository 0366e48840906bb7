import { has, timestamp, type Requestor, type ShopContext } from './context.ts';
import { permissionDenied, refuse } from './errors.ts';
import { parseId, pkOf } from './global-id.ts';
import { fromInput } from './metadata.ts';
import { toMinor } from './money.ts';
import type { Before } from './order.ts';
import type { TransactionEventRecord, TransactionRecord } from './records.ts';
import { newUuid, type WritableStore } from './store.ts';
import { adjustments, amountsOf, type Amounts } from './transaction.ts';

interface MoneyInput {
  currency: string;
  amount: string;
}
/** What transactionCreate and transactionUpdate state. */
export interface TransactionInput {
  name?: string | null;
  message?: string | null;
  pspReference?: string | null;
  externalUrl?: string | null;
  availableActions?: string[] | null;
  amountAuthorized?: MoneyInput | null;
  amountCharged?: MoneyInput | null;
  amountRefunded?: MoneyInput | null;
  amountCanceled?: MoneyInput | null;
  metadata?: { key: string; value: string }[] | null;
  privateMetadata?: { key: string; value: string }[] | null;
}
/** The order or checkout that a transaction pays. */
export interface Holder {
  readonly order: string | null;
  readonly checkout: string | null;
  readonly currency: string;
}

/** Amounts stated by an input, in minor units; another currency is refused. */
export function amountsFrom(input: TransactionInput, currency: string): Partial<Amounts> {
  const stated: Partial<Record<keyof Amounts, number>> = {};
  for (const [member, field] of [
    ['authorized', 'amountAuthorized'],
    ['charged', 'amountCharged'],
    ['refunded', 'amountRefunded'],
    ['canceled', 'amountCanceled'],
  ] as const) {
    const given = input[field];
    if (!given) continue;
    if (given.currency !== currency)
      throw refuse(field, 'INCORRECT_CURRENCY', `Currency needs to be the same as for order: ${currency}`);
    stated[member] = toMinor(given.amount, currency) ?? 0;
  }
  return stated;
}

/** A new event row; counted unless said otherwise. */
export async function event(
  tx: WritableStore,
  now: string,
  about: Partial<TransactionEventRecord> & { type: string },
): Promise<TransactionEventRecord> {
  return {
    pk: await tx.nextPk('TransactionEvent'),
    amount: 0,
    pspReference: '',
    message: '',
    externalUrl: '',
    createdAt: now,
    counted: true,
    ...about,
  };
}

/** Adds the events that reach the stated amounts, and the sums that follow. */
export async function state(
  tx: WritableStore,
  now: string,
  old: TransactionRecord,
  stated: Partial<Amounts>,
): Promise<TransactionRecord> {
  const events = [...old.events];
  for (const step of adjustments(old, stated))
    events.push(await event(tx, now, { ...step, message: 'Manual adjustment of the transaction.' }));
  return { ...old, ...amountsOf(events), events, updatedAt: now };
}

/** A transaction with its first amounts; the caller stores it and settles the order. */
export async function newTransaction(
  ctx: ShopContext,
  tx: WritableStore,
  about: { holder: Holder; amounts: Partial<Amounts>; name: string; pspReference: string },
): Promise<TransactionRecord> {
  const requestor = await ctx.requestor();
  const now = timestamp(ctx.shop);
  const blank: TransactionRecord = {
    pk: newUuid(),
    ...about.holder,
    name: about.name,
    message: '',
    pspReference: about.pspReference,
    externalUrl: '',
    actions: [],
    createdAt: now,
    createdByApp: requestor.kind === 'app' ? requestor.app.pk : null,
    createdByUser: requestor.kind === 'user' ? requestor.user.pk : null,
    authorized: 0,
    charged: 0,
    refunded: 0,
    canceled: 0,
    events: [],
    metadata: {},
    privateMetadata: {},
    updatedAt: now,
  };
  return state(tx, now, blank, about.amounts);
}

/** The transaction with the input's words and metadata. */
export function described(transaction: TransactionRecord, input: TransactionInput): TransactionRecord {
  return {
    ...transaction,
    name: input.name ?? transaction.name,
    message: input.message ?? transaction.message,
    pspReference: input.pspReference ?? transaction.pspReference,
    externalUrl: input.externalUrl ?? transaction.externalUrl,
    actions: input.availableActions ? [...new Set(input.availableActions)] : transaction.actions,
    metadata: { ...transaction.metadata, ...fromInput(input.metadata, 'transaction') },
    privateMetadata: { ...transaction.privateMetadata, ...fromInput(input.privateMetadata, 'transaction') },
  };
}

/** Staff and apps with HANDLE_PAYMENTS; an app's transaction is only that app's to change. */
export async function requireHandler(ctx: ShopContext, transaction: TransactionRecord): Promise<Requestor> {
  const requestor = await ctx.requestor();
  const foreign =
    transaction.createdByApp !== null &&
    !(requestor.kind === 'app' && requestor.app.pk === transaction.createdByApp);
  if (foreign || !has(requestor, 'HANDLE_PAYMENTS')) throw permissionDenied('OWNER', 'HANDLE_PAYMENTS');
  return requestor;
}

/** The order or checkout of an id, locked. */
export async function holderOf(tx: WritableStore, id: string): Promise<Holder> {
  const target = parseId(id);
  if (target?.type === 'Order') {
    const order = await tx.lock('Order', target.pk);
    if (order) return { order: order.pk, checkout: null, currency: order.currency };
  }
  if (target?.type === 'Checkout') {
    const checkout = await tx.lock('Checkout', target.pk);
    if (checkout) return { order: null, checkout: checkout.pk, currency: checkout.currency };
  }
  throw refuse(
    'id',
    target?.type === 'Order' || target?.type === 'Checkout' ? 'NOT_FOUND' : 'INVALID',
    `Couldn't resolve to Checkout or Order: ${id}`,
  );
}

/** A transaction by id or token, locked. */
export async function lockTransaction(
  tx: WritableStore,
  args: { id?: string | null; token?: string | null },
): Promise<TransactionRecord> {
  const pk = args.id ? pkOf('TransactionItem', args.id) : (args.token ?? '').toLowerCase();
  const transaction = await tx.lock('TransactionItem', pk);
  if (!transaction)
    throw refuse(
      args.id ? 'id' : 'token',
      'NOT_FOUND',
      `Couldn't resolve to a node: ${args.id ?? args.token}`,
    );
  return transaction;
}

/** A transaction that was not there. */
export const nothing: Before = { authorized: 0, charged: 0, refunded: 0 };

/** A pspReference names one transaction. */
export async function checkReference(
  tx: WritableStore,
  pspReference: string | null | undefined,
  own?: string,
): Promise<void> {
  if (!pspReference) return;
  const others = await tx.find('TransactionItem', 'pspReference', pspReference);
  if (others.some((other) => other.pk !== own))
    throw refuse('transaction', 'UNIQUE', 'Transaction with provided `pspReference` already exists.');
}

/** With the INFO event that a call may add. */
export async function withInfo(
  tx: WritableStore,
  transaction: TransactionRecord,
  info: { pspReference?: string | null; message?: string | null } | null | undefined,
): Promise<TransactionRecord> {
  if (!info) return transaction;
  const made = await event(tx, transaction.updatedAt, {
    type: 'INFO',
    pspReference: info.pspReference ?? '',
    message: info.message ?? '',
    counted: false,
  });
  return { ...transaction, events: [...transaction.events, made] };
}
