import { askSaleor, SaleorError } from './ask-saleor.ts';
import { category, warehouse } from './catalogue.ts';
import * as operations from './operations.ts';
import type { Edges, Id, Shop } from './shop.ts';

export async function ensureWarehouse({ access, report }: Shop): Promise<string> {
  const what = `warehouse ${warehouse.slug}`;
  const { warehouses } = await askSaleor<{ warehouses: Edges<Id> }>(access, operations.warehouseBySlug, {
    slug: warehouse.slug,
  });
  const known = warehouses.edges[0];
  if (known) {
    report({ what, outcome: 'kept' });
    return known.node.id;
  }
  const { createWarehouse } = await askSaleor<{ createWarehouse: { warehouse: Id } }>(
    access,
    operations.createWarehouse,
    {
      input: {
        ...warehouse,
        address: {
          streetAddress1: 'Main Street 1',
          city: 'New York',
          country: 'US',
          countryArea: 'NY',
          postalCode: '10001',
        },
      },
    },
  );
  report({ what, outcome: 'made' });
  return createWarehouse.warehouse.id;
}

/** Where it is sold; made unless it is there. */
export interface ChannelToSellIn {
  readonly slug: string;
  readonly currency: string;
  readonly country: string;
}

/** Paid by transactions, orders before payment, confirmed by themselves: what a paid order needs to reach the provisioner. */
const orderSettings = {
  markAsPaidStrategy: 'TRANSACTION_FLOW',
  allowUnpaidOrders: true,
  automaticallyConfirmAllNewOrders: true,
} as const;

export async function ensureChannel(
  { access, report }: Shop,
  { slug, currency, country }: ChannelToSellIn,
  warehouseId: string,
): Promise<string> {
  const what = `channel ${slug}`;
  interface Known extends Id {
    readonly isActive: boolean;
    readonly currencyCode: string;
    readonly orderSettings: Readonly<Record<keyof typeof orderSettings, unknown>>;
    readonly warehouses: readonly Id[];
  }
  const { channel } = await askSaleor<{ channel: Known | null }>(access, operations.channelBySlug, { slug });
  if (!channel) {
    const { channelCreate } = await askSaleor<{ channelCreate: { channel: Id } }>(
      access,
      operations.channelCreate,
      {
        input: {
          name: slug,
          slug,
          currencyCode: currency,
          defaultCountry: country,
          isActive: true,
          addWarehouses: [warehouseId],
          orderSettings,
        },
      },
    );
    report({ what, outcome: 'made' });
    return channelCreate.channel.id;
  }
  if (channel.currencyCode !== currency)
    throw new SaleorError(
      `The channel ${slug} sells in ${channel.currencyCode}, not ${currency}. Name another channel, or its currency.`,
    );
  const settled = (Object.keys(orderSettings) as (keyof typeof orderSettings)[]).every(
    (name) => channel.orderSettings[name] === orderSettings[name],
  );
  const stocked = channel.warehouses.some(({ id }) => id === warehouseId);
  if (settled && stocked && channel.isActive) report({ what, outcome: 'kept' });
  else {
    await askSaleor(access, operations.channelUpdate, {
      id: channel.id,
      input: { isActive: true, orderSettings, ...(stocked ? {} : { addWarehouses: [warehouseId] }) },
    });
    report({ what, outcome: 'mended' });
  }
  return channel.id;
}

/** A product needs a category to be published. */
export async function ensureCategory({ access, report }: Shop): Promise<string> {
  const what = `category ${category.slug}`;
  const known = await askSaleor<{ category: Id | null }>(access, operations.categoryBySlug, category);
  if (known.category) {
    report({ what, outcome: 'kept' });
    return known.category.id;
  }
  const { categoryCreate } = await askSaleor<{ categoryCreate: { category: Id } }>(
    access,
    operations.categoryCreate,
    { input: category },
  );
  report({ what, outcome: 'made' });
  return categoryCreate.category.id;
}
