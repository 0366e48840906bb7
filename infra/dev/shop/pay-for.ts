import { askSaleor, type SaleorAccess } from '../../saleor/ask-saleor.ts';
import type { SeedTarget } from './seed-target.ts';

/** A charge that was made. */
export interface Payment {
  readonly transactionId: string;
  /** Decimal text, e.g. `39.00`. */
  readonly amount: string;
  readonly currency: string;
}

interface Priced {
  readonly gross: {
    readonly currency: string;
    readonly fractionalAmount: number;
    readonly fractionDigits: number;
  };
}

const prices = `query($id: ID!) { checkout(id: $id) { totalPrice { gross { currency fractionalAmount fractionDigits } } } }`;
const orderPrices = `query($id: ID!) { order(id: $id) { total { gross { currency fractionalAmount fractionDigits } } } }`;
const create = `mutation($id: ID!, $transaction: TransactionCreateInput!) {
  transactionCreate(id: $id, transaction: $transaction) { transaction { id } errors { field message code } } }`;
const report = `mutation($id: ID!, $amount: PositiveDecimal!, $pspReference: String!) {
  transactionEventReport(id: $id, type: REFUND_SUCCESS, amount: $amount, pspReference: $pspReference) { alreadyProcessed errors { field message code } } }`;

/**
 * Plays the payment provider: charges the whole price of a checkout (before it is completed) or of an order. `pspReference` names the
 * payment; the same one is refused a second time.
 */
export async function payFor(
  shop: SeedTarget,
  payment: { id: string; pspReference: string },
): Promise<Payment> {
  const access: SaleorAccess = { url: shop.url, token: await shop.staffToken() };
  const isCheckout = Buffer.from(payment.id, 'base64').toString().startsWith('Checkout:');
  const { gross } = isCheckout
    ? (await askSaleor<{ checkout: { totalPrice: Priced } }>(access, prices, { id: payment.id })).checkout
        .totalPrice
    : (await askSaleor<{ order: { total: Priced } }>(access, orderPrices, { id: payment.id })).order.total;
  const { currency } = gross;
  const amount = (gross.fractionalAmount / 10 ** gross.fractionDigits).toFixed(gross.fractionDigits);
  const { transactionCreate } = await askSaleor<{ transactionCreate: { transaction: { id: string } } }>(
    access,
    create,
    {
      id: payment.id,
      transaction: {
        name: 'Demo card',
        pspReference: payment.pspReference,
        availableActions: ['REFUND'],
        amountCharged: { amount, currency },
      },
    },
  );
  return { transactionId: transactionCreate.transaction.id, amount, currency };
}

/** Reports a refund as a payment provider does: totals are then net of it. Once per `pspReference`. */
export async function refundPayment(
  shop: SeedTarget,
  refund: { transactionId: string; amount: string; pspReference: string },
): Promise<void> {
  const access: SaleorAccess = { url: shop.url, token: await shop.staffToken() };
  await askSaleor(access, report, {
    id: refund.transactionId,
    amount: refund.amount,
    pspReference: refund.pspReference,
  });
}
