import { askShop, type ShopAccess } from './ask-shop.ts';

/** A variant in the seeded shop. */
export interface SeededVariant {
  readonly id: string;
  readonly sku: string;
}

/** Ids of what a product stands on. */
export interface Place {
  readonly access: ShopAccess;
  readonly channel: string;
  readonly warehouse: string;
  readonly category: string;
  readonly productType: string;
}
interface Named {
  readonly id: string;
  readonly slug: string;
}

const pairs = (metadata: Readonly<Record<string, string>>) =>
  Object.entries(metadata).map(([key, value]) => ({ key, value }));

export async function warehouseOf(access: ShopAccess): Promise<string> {
  const { warehouses } = await askShop<{ warehouses: { edges: { node: Named }[] } }>(
    access,
    '{ warehouses(first: 100) { edges { node { id slug } } } }',
  );
  const known = warehouses.edges.find(({ node }) => node.slug === 'digital');
  if (known) return known.node.id;
  const made = await askShop<{ createWarehouse: { warehouse: Named } }>(
    access,
    'mutation($input: WarehouseCreateInput!) { createWarehouse(input: $input) { warehouse { id slug } errors { field message code } } }',
    {
      input: {
        name: 'Digital goods',
        slug: 'digital',
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
  return made.createWarehouse.warehouse.id;
}

const orderSettings = {
  markAsPaidStrategy: 'TRANSACTION_FLOW',
  allowUnpaidOrders: true,
  automaticallyConfirmAllNewOrders: true,
};

/** The channel, made or brought to what the store needs: paid by transactions, orders before payment, the warehouse in it. */
export async function channelOf(access: ShopAccess, warehouse: string): Promise<string> {
  interface Known extends Named {
    readonly orderSettings: typeof orderSettings;
    readonly warehouses: { readonly id: string }[];
  }
  const { channel } = await askShop<{ channel: Known | null }>(
    access,
    `{ channel(slug: "default-channel") { id slug warehouses { id }
      orderSettings { markAsPaidStrategy allowUnpaidOrders automaticallyConfirmAllNewOrders } } }`,
  );
  if (!channel) return createChannel(access, warehouse);
  const asNeeded = Object.entries(orderSettings).every(
    ([name, value]) => channel.orderSettings[name as keyof typeof orderSettings] === value,
  );
  if (!asNeeded || !channel.warehouses.some(({ id }) => id === warehouse))
    await askShop(
      access,
      'mutation($id: ID!, $input: ChannelUpdateInput!) { channelUpdate(id: $id, input: $input) { errors { field message code } } }',
      { id: channel.id, input: { orderSettings, addWarehouses: [warehouse] } },
    );
  return channel.id;
}

async function createChannel(access: ShopAccess, warehouse: string): Promise<string> {
  const made = await askShop<{ channelCreate: { channel: Named } }>(
    access,
    'mutation($input: ChannelCreateInput!) { channelCreate(input: $input) { channel { id slug } errors { field message code } } }',
    {
      input: {
        name: 'Default channel',
        slug: 'default-channel',
        currencyCode: 'USD',
        defaultCountry: 'US',
        isActive: true,
        addWarehouses: [warehouse],
        orderSettings,
      },
    },
  );
  return made.channelCreate.channel.id;
}

/** A product needs a category to be published. */
export async function categoryOf(access: ShopAccess): Promise<string> {
  const { category } = await askShop<{ category: Named | null }>(
    access,
    '{ category(slug: "agents") { id slug } }',
  );
  if (category) return category.id;
  const made = await askShop<{ categoryCreate: { category: Named } }>(
    access,
    'mutation($input: CategoryInput!) { categoryCreate(input: $input) { category { id slug } errors { field message code } } }',
    { input: { name: 'Agents', slug: 'agents' } },
  );
  return made.categoryCreate.category.id;
}

export async function productTypeOf(access: ShopAccess): Promise<string> {
  const { productTypes } = await askShop<{ productTypes: { edges: { node: Named }[] } }>(
    access,
    'query($filter: ProductTypeFilterInput) { productTypes(first: 1, filter: $filter) { edges { node { id slug } } } }',
    { filter: { slugs: ['agent-plan'] } },
  );
  const known = productTypes.edges[0];
  if (known) return known.node.id;
  const made = await askShop<{ productTypeCreate: { productType: Named } }>(
    access,
    'mutation($input: ProductTypeInput!) { productTypeCreate(input: $input) { productType { id slug } errors { field message code } } }',
    {
      input: {
        name: 'Agent plan',
        slug: 'agent-plan',
        kind: 'NORMAL',
        hasVariants: true,
        isShippingRequired: false,
      },
    },
  );
  return made.productTypeCreate.productType.id;
}

/** A product, published and for sale in the channel. */
export async function productOf(
  place: Place,
  about: { name: string; slug: string; metadata: Record<string, string> },
): Promise<string> {
  const { access } = place;
  const { product } = await askShop<{ product: Named | null }>(
    access,
    'query($slug: String!) { product(slug: $slug) { id slug } }',
    { slug: about.slug },
  );
  const id = product?.id ?? (await createProduct(place, about));
  await askShop(
    access,
    'mutation($id: ID!, $input: ProductChannelListingUpdateInput!) { productChannelListingUpdate(id: $id, input: $input) { errors { field message code } } }',
    {
      id,
      input: {
        updateChannels: [
          {
            channelId: place.channel,
            isPublished: true,
            visibleInListings: true,
            isAvailableForPurchase: true,
          },
        ],
      },
    },
  );
  return id;
}

async function createProduct(
  place: Place,
  about: { name: string; slug: string; metadata: Record<string, string> },
): Promise<string> {
  const made = await askShop<{ productCreate: { product: Named } }>(
    place.access,
    'mutation($input: ProductCreateInput!) { productCreate(input: $input) { product { id slug } errors { field message code } } }',
    {
      input: {
        name: about.name,
        slug: about.slug,
        productType: place.productType,
        category: place.category,
        metadata: pairs(about.metadata),
      },
    },
  );
  return made.productCreate.product.id;
}

/** A variant with its price; `agentstore.kind` in private metadata says what it is to the store. */
export async function variantOf(
  place: Place,
  about: { name: string; sku: string; price: string; product: string; kind: 'plan' | 'credits' },
): Promise<SeededVariant> {
  const { access } = place;
  const { productVariant } = await askShop<{
    productVariant: { id: string; channelListings: { id: string }[] } | null;
  }>(access, 'query($sku: String!) { productVariant(sku: $sku) { id channelListings { id } } }', {
    sku: about.sku,
  });
  const id = productVariant?.id ?? (await createVariant(place, about));
  if (!productVariant?.channelListings.length)
    await askShop(
      access,
      'mutation($id: ID!, $input: [ProductVariantChannelListingAddInput!]!) { productVariantChannelListingUpdate(id: $id, input: $input) { errors { field message code } } }',
      { id, input: [{ channelId: place.channel, price: about.price }] },
    );
  return { id, sku: about.sku };
}

async function createVariant(
  place: Place,
  about: { name: string; sku: string; product: string; kind: string },
): Promise<string> {
  const made = await askShop<{ productVariantCreate: { productVariant: { id: string } } }>(
    place.access,
    'mutation($input: ProductVariantCreateInput!) { productVariantCreate(input: $input) { productVariant { id } errors { field message code } } }',
    {
      input: {
        product: about.product,
        name: about.name,
        sku: about.sku,
        attributes: [],
        trackInventory: false,
        // Without a stock row even an untracked variant cannot be bought.
        stocks: [{ warehouse: place.warehouse, quantity: 1_000_000 }],
        metadata: pairs({ 'agentstore.label': about.name }),
        privateMetadata: pairs({ 'agentstore.kind': about.kind }),
      },
    },
  );
  return made.productVariantCreate.productVariant.id;
}
