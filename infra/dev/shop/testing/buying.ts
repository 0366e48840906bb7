import type { ShopUnderTest } from './shop.ts';

export const address = {
  firstName: 'Ada',
  lastName: 'Buyer',
  streetAddress1: 'Main Street 1',
  city: 'New York',
  country: 'US',
  countryArea: 'NY',
  postalCode: '10001',
};

/** What a test buys, and how. */
export interface Purchase {
  readonly lines?: readonly {
    variantId: string;
    quantity: number;
    metadata?: { key: string; value: string }[];
  }[];
  readonly email?: string;
  /** Nobody is signed in when absent. */
  readonly token?: string;
  readonly metadata?: { key: string; value: string }[];
  /** Charged on the checkout before it is completed, as text; nothing when absent. */
  readonly pay?: string;
}

/** The order a test made. */
export interface Bought {
  readonly id: string;
  readonly number: string;
  readonly status: string;
  readonly chargeStatus: string;
  readonly transaction: string | null;
  readonly checkout: string;
}

export async function checkout(under: ShopUnderTest, purchase: Purchase = {}): Promise<string> {
  const lines = purchase.lines ?? [{ variantId: under.seeded.variants.pro.id, quantity: 1 }];
  const { checkoutCreate } = await under.ask<{ checkoutCreate: { checkout: { id: string } } }>(
    'mutation($input: CheckoutCreateInput!) { checkoutCreate(input: $input) { checkout { id } errors { field code message } } }',
    {
      input: {
        channel: 'default-channel',
        lines,
        ...(purchase.token && !purchase.email ? {} : { email: purchase.email ?? 'buyer@example.com' }),
        billingAddress: address,
        metadata: purchase.metadata ?? [],
      },
    },
    purchase.token ?? '',
  );
  return checkoutCreate.checkout.id;
}

export async function complete(
  under: ShopUnderTest,
  id: string,
  token?: string,
): Promise<Omit<Bought, 'transaction' | 'checkout'>> {
  const { checkoutComplete } = await under.ask<{
    checkoutComplete: { order: Omit<Bought, 'transaction' | 'checkout'> };
  }>(
    'mutation($id: ID!) { checkoutComplete(id: $id) { order { id number status chargeStatus } errors { field code message } } }',
    { id },
    token,
  );
  return checkoutComplete.order;
}

/** A charge on an order or checkout; answers the transaction's id. */
export async function charge(under: ShopUnderTest, id: string, amount: string): Promise<string> {
  const { transactionCreate } = await under.ask<{ transactionCreate: { transaction: { id: string } } }>(
    'mutation($id: ID!, $transaction: TransactionCreateInput!) { transactionCreate(id: $id, transaction: $transaction) { transaction { id } errors { field code message } } }',
    {
      id,
      transaction: { name: 'card', amountCharged: { amount, currency: 'USD' }, availableActions: ['REFUND'] },
    },
  );
  return transactionCreate.transaction.id;
}

/** Reports what the payment provider did to a transaction. */
export const report = async (
  under: ShopUnderTest,
  about: { id: string; type: string; amount: string; pspReference: string },
) =>
  under.raw(
    {
      query: `mutation($id: ID!, $type: TransactionEventTypeEnum!, $amount: PositiveDecimal!, $pspReference: String!) {
        transactionEventReport(id: $id, type: $type, amount: $amount, pspReference: $pspReference) {
          alreadyProcessed transaction { chargedAmount { amount } refundedAmount { amount } events { type amount { amount } } } transactionEvent { type } errors { field code message } } }`,
      variables: about,
    },
    { authorization: `Bearer ${await under.shop.staffToken()}` },
  );

export async function buy(under: ShopUnderTest, purchase: Purchase = {}): Promise<Bought> {
  const id = await checkout(under, purchase);
  const transaction = purchase.pay === undefined ? null : await charge(under, id, purchase.pay);
  return { ...(await complete(under, id, purchase.token ?? '')), transaction, checkout: id };
}
