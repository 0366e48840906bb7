import { askSaleor } from '../../saleor/ask-saleor.ts';
import { productType } from '../../saleor/catalogue.ts';
import type { Edges, Id } from '../../saleor/shop.ts';
import type { Check } from '../check.ts';
import * as operations from './operations.ts';
import type { SaleorPatient } from './patient.ts';

const setup = 'npm run saleor:setup -- --url … --token … makes and mends it';
const kinds = new Set(['plan', 'credits']);

/** What is sold, and how its orders come to be paid. */
export function sellingChecks(patient: SaleorPatient): readonly Check[] {
  return [
    {
      name: 'channel',
      mend: `${setup}, or Dashboard → Configuration → Channels → ${patient.channel}: mark-as-paid by Transactions API, allow unpaid orders, automatically confirm all orders`,
      async look() {
        const { orderSettings, isActive } = await channelOf(patient);
        const faults = [
          ...(isActive ? [] : ['it is not active']),
          ...Object.entries(wantedSettings)
            .filter(([name, value]) => orderSettings[name] !== value)
            .map(([name, value]) => `${name} is ${String(orderSettings[name])}, not ${String(value)}`),
        ];
        if (faults.length) throw new Error(`${patient.channel}: ${faults.join('; ')}`);
        return `${patient.channel} is paid by transactions, and confirms orders by itself`;
      },
    },
    {
      name: 'catalogue',
      mend: `${setup}; a product's page in the Dashboard shows its channels, prices and stock, and the kind is in the variant's private metadata`,
      look: () => catalogueIsSold(patient),
    },
  ];
}

const wantedSettings: Readonly<Record<string, unknown>> = {
  markAsPaidStrategy: 'TRANSACTION_FLOW',
  allowUnpaidOrders: true,
  automaticallyConfirmAllNewOrders: true,
};

interface Channel extends Id {
  readonly isActive: boolean;
  readonly warehouses: readonly Id[];
  readonly orderSettings: Readonly<Record<string, unknown>>;
}

async function channelOf({ access, channel: slug }: SaleorPatient): Promise<Channel> {
  const { channel } = await askSaleor<{ channel: Channel | null }>(access, operations.channel, { slug });
  if (!channel) throw new Error(`there is no channel ${slug}`);
  return channel;
}

interface Variant {
  readonly sku: string | null;
  readonly name: string;
  readonly kind: string | null;
  readonly channelListings: readonly { readonly channel: Id; readonly price: object | null }[] | null;
  readonly stocks: readonly { readonly warehouse: Id; readonly quantity: number }[] | null;
}
interface Product {
  readonly slug: string;
  readonly channelListings:
    | readonly {
        readonly channel: Id;
        readonly isPublished: boolean;
        readonly isAvailableForPurchase: boolean | null;
      }[]
    | null;
  readonly productVariants: Edges<Variant> | null;
}

async function catalogueIsSold(patient: SaleorPatient): Promise<string> {
  const channel = await channelOf(patient);
  const type = await productTypeOf(patient);
  const faults = type.isShippingRequired
    ? [
        `the product type ${productType.slug} needs shipping: a checkout of plans alone could not be completed`,
      ]
    : [];
  const sold = await productsOf(patient, type.id);
  faults.push(...sold.flatMap((product) => productFaults(product, channel)));
  const variants = sold.flatMap(({ productVariants }) => productVariants?.edges ?? []);
  if (!variants.some(({ node }) => node.kind === 'plan')) faults.push('no variant is a plan');
  if (faults.length) throw new Error(faults.join('; '));
  return `${sold.length} products of type ${productType.slug}, ${variants.length} variants with price, stock and kind`;
}

async function productTypeOf({ access }: SaleorPatient): Promise<Id & { isShippingRequired: boolean }> {
  const { productTypes } = await askSaleor<{ productTypes: Edges<Id & { isShippingRequired: boolean }> }>(
    access,
    operations.productType,
    { slugs: [productType.slug] },
  );
  const type = productTypes.edges[0]?.node;
  if (!type) throw new Error(`there is no product type ${productType.slug}`);
  return type;
}

async function productsOf({ access }: SaleorPatient, type: string): Promise<Product[]> {
  const found: Product[] = [];
  for (let after: string | undefined; ;) {
    const { products } = await askSaleor<{
      products: Edges<Product> & { pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    }>(access, operations.products, { type, ...(after ? { after } : {}) });
    found.push(...products.edges.map(({ node }) => node));
    if (!products.pageInfo.hasNextPage || !products.pageInfo.endCursor) return found;
    after = products.pageInfo.endCursor;
  }
}

/** What keeps a product from being bought in the channel; one that is not listed there at all is not meant to be. */
function productFaults({ slug, channelListings, productVariants }: Product, channel: Channel): string[] {
  const listing = channelListings?.find(({ channel: at }) => at.id === channel.id);
  if (!listing) return [];
  return [
    ...(listing.isPublished && listing.isAvailableForPurchase
      ? []
      : [`${slug} is not published and available for purchase`]),
    ...(productVariants?.edges ?? []).flatMap(({ node }) =>
      variantFaults(node, channel).map((fault) => `${node.sku ?? `${slug} “${node.name}”`} ${fault}`),
    ),
  ];
}

function variantFaults({ kind, channelListings, stocks }: Variant, channel: Channel): string[] {
  const priced = channelListings?.some(({ channel: at, price }) => at.id === channel.id && price);
  const stocked = stocks?.some(
    ({ warehouse, quantity }) => quantity > 0 && channel.warehouses.some(({ id }) => id === warehouse.id),
  );
  return [
    ...(kinds.has(kind ?? '') ? [] : [`has agentstore.kind ${kind ?? 'unset'}, neither plan nor credits`]),
    ...(priced ? [] : ['has no price in the channel']),
    ...(stocked ? [] : ['has no stock in a warehouse of the channel']),
  ];
}
