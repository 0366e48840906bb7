import type { ShopUnderTest } from '../../dev/shop/testing/shop.ts';

/** The token of an app that may manage orders and nothing of the catalogue. */
export async function limitedToken(under: ShopUnderTest): Promise<string> {
  const { appCreate } = await under.ask<{ appCreate: { authToken: string } }>(
    'mutation { appCreate(input: { name: "Limited", permissions: [MANAGE_ORDERS] }) { authToken errors { field message code } } }',
  );
  return appCreate.authToken;
}
