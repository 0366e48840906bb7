import { freePort, listen } from '@agentstore/kernel/testing/http';
import { expect, it } from 'vitest';
import { buy } from '../dev/shop/testing/buying.ts';
import { useShop } from '../dev/shop/testing/shop.ts';
import type { SaleorAccess } from './ask-saleor.ts';
import { attributes, products } from './catalogue.ts';
import { setupCatalogue, type SoldCatalogue } from './setup-catalogue.ts';
import type { Done } from './shop.ts';
import { answering, between } from './testing/between.ts';
import { limitedToken } from './testing/limited-token.ts';

const under = useShop({ empty: true });
const proxy = await between(() => under.shop.url);
const channel = { slug: 'default-channel', currency: 'USD', country: 'US' };

interface Run {
  readonly sold: SoldCatalogue;
  readonly done: readonly Done[];
  readonly mutations: readonly string[];
}
async function setup(access: Partial<SaleorAccess> = {}, into: Partial<typeof channel> = {}): Promise<Run> {
  proxy.mutations = [];
  const done: Done[] = [];
  const sold = await setupCatalogue(
    { url: proxy.url, token: await under.shop.staffToken(), ...access },
    { channel: { ...channel, ...into }, report: (one) => done.push(one) },
  );
  return { sold, done, mutations: proxy.mutations };
}
/** What was not kept, as `outcome what`. */
const changed = ({ done }: Run): string[] =>
  done.filter(({ outcome }) => outcome !== 'kept').map(({ outcome, what }) => `${outcome} ${what}`);
const variants = products.flatMap((product) => product.variants);
const skuOf = (key: string): string => variants.find((variant) => variant.key === key)!.sku;

it('is completed by later runs when each is cut off after one change, and its plan can then be bought', async () => {
  proxy.most = 1;
  const cuts: string[] = [];
  const cut = (error: Error): boolean => cuts.push(error.message.replace(/^\S+ /, '')) > 0;
  while (cuts.length < 100 && (await setup().then(() => false, cut)));
  proxy.most = Infinity;
  const { sold, done, mutations } = await setup();
  expect(new Set(done.map(({ outcome }) => outcome))).toEqual(new Set(['kept']));
  expect(mutations).toEqual([]);
  // Place, attributes and type; then each product is made and listed, each variant made and priced.
  const changes = 4 + attributes.length + 2 * products.length + 2 * variants.length;
  expect(cuts).toEqual(Array<string>(changes - 1).fill('answered 502 text/html: not a GraphQL endpoint'));
  const order = await buy(under, {
    lines: [{ variantId: sold.variants['pro']!.id, quantity: 1 }],
    pay: '29',
  });
  expect(order).toMatchObject({ status: 'UNFULFILLED', chargeStatus: 'FULL' });
  await under.admin(`delete from dev_shop.document where kind not in ('User', 'Settings', 'Plugin')`);
});

it('makes everything at once, and keeps everything without one mutation', async () => {
  const first = await setup();
  expect(first.done.map(({ outcome, what }) => `${outcome} ${what}`)).toEqual([
    'made warehouse digital',
    'made channel default-channel',
    'made category agents',
    ...attributes.map(({ slug }) => `made attribute ${slug}`),
    'made product type agent-plan',
    ...products.flatMap((product) => [
      `made product ${product.slug}`,
      ...product.variants.map(({ sku }) => `made variant ${sku}`),
    ]),
  ]);
  const second = await setup();
  expect(second.done).toHaveLength(first.done.length);
  expect(changed(second)).toEqual([]);
  expect(second.mutations).toEqual([]);
  expect(second.sold).toEqual(first.sold);
});

const shown = `query($sku: String!) { productVariant(sku: $sku, channel: "default-channel") { name
  pricing { price { gross { amount currency } } } metafield(key: "agentstore.label")
  attributes { attribute { slug inputType type } values { name } }
  product { slug isAvailableForPurchase metafield(key: "agentstore.template")
    attributes { attribute { slug } values { name slug plainText inputType } } } } }`;

it('shows everybody a plan with its price, attributes and template', async () => {
  expect(await under.ask(shown, { sku: 'AGENT-PRO-M' }, '')).toEqual({
    productVariant: {
      name: 'Pro monthly',
      pricing: { price: { gross: { amount: 29, currency: 'USD' } } },
      metafield: 'Pro monthly',
      attributes: [
        {
          attribute: { slug: 'billing-period', inputType: 'DROPDOWN', type: 'PRODUCT_TYPE' },
          values: [{ name: 'Monthly' }],
        },
        {
          attribute: { slug: 'included-credits', inputType: 'NUMERIC', type: 'PRODUCT_TYPE' },
          values: [{ name: '500' }],
        },
      ],
      product: {
        slug: 'support-agent',
        isAvailableForPurchase: true,
        metafield: 'support-agent',
        attributes: [
          {
            attribute: { slug: 'agent-template' },
            values: [
              {
                name: 'support-agent',
                slug: expect.stringMatching(/^\d+_\d+$/) as string,
                plainText: 'support-agent',
                inputType: 'PLAIN_TEXT',
              },
            ],
          },
          {
            attribute: { slug: 'agent-capability' },
            values: [
              { name: 'Chat', slug: 'chat', plainText: null, inputType: 'MULTISELECT' },
              { name: 'API', slug: 'api', plainText: null, inputType: 'MULTISELECT' },
            ],
          },
        ],
      },
    },
  });
});

const without = (kind: string, member: string, only = '') =>
  under.admin(
    `update dev_shop.document set data = jsonb_set(data, '{${member}}', '[]') where kind = '${kind}' ${only}`,
  );
const ofPro = `and data ->> 'sku' = 'AGENT-PRO-M'`;
const update = (mutation: string) => (variables: object) => under.ask(mutation, variables);
const updateProduct = update(
  'mutation($id: ID!, $input: ProductInput!) { productUpdate(id: $id, input: $input) { errors { field message code } } }',
);
const updateVariant = update(
  'mutation($id: ID!, $input: ProductVariantInput!) { productVariantUpdate(id: $id, input: $input) { errors { field message code } } }',
);
const listProduct = update(
  'mutation($id: ID!, $input: ProductChannelListingUpdateInput!) { productChannelListingUpdate(id: $id, input: $input) { errors { field message code } } }',
);
const updateChannel = update(
  'mutation($id: ID!, $input: ChannelUpdateInput!) { channelUpdate(id: $id, input: $input) { errors { field message code } } }',
);
const attributeId = async (slug: string): Promise<string> =>
  (
    await under.ask<{ attribute: { id: string } }>(
      'query($slug: String!) { attribute(slug: $slug) { id } }',
      { slug },
    )
  ).attribute.id;

const halfMade: readonly {
  readonly what: string;
  readonly spoil: (sold: SoldCatalogue) => Promise<unknown>;
  readonly mended: readonly string[];
}[] = [
  {
    what: 'a variant without price',
    spoil: () => without('ProductVariant', 'listings', ofPro),
    mended: ['variant AGENT-PRO-M'],
  },
  {
    what: 'a variant without stock',
    spoil: () => without('ProductVariant', 'stocks', ofPro),
    mended: ['variant AGENT-PRO-M'],
  },
  {
    what: 'a variant without kind',
    spoil: ({ variants: { pro } }) =>
      under.ask(
        'mutation($id: ID!) { deletePrivateMetadata(id: $id, keys: ["agentstore.kind"]) { errors { message } } }',
        { id: pro!.id },
      ),
    mended: ['variant AGENT-PRO-M'],
  },
  {
    what: 'a variant without the value of an attribute',
    spoil: async ({ variants: { pro } }) =>
      updateVariant({ id: pro!.id, input: { attributes: [{ id: await attributeId('billing-period') }] } }),
    mended: ['variant AGENT-PRO-M'],
  },
  {
    what: 'a product that is not published',
    spoil: ({ productIds, channelId }) =>
      listProduct({
        id: productIds['support-agent'],
        input: { updateChannels: [{ channelId, isPublished: false }] },
      }),
    mended: ['product support-agent'],
  },
  {
    what: 'a product in no channel, without template',
    spoil: async ({ productIds, channelId }) => {
      const id = productIds['support-agent'];
      await listProduct({ id, input: { removeChannels: [channelId] } });
      await updateProduct({ id, input: { attributes: [{ id: await attributeId('agent-template') }] } });
    },
    mended: ['product support-agent'],
  },
  {
    // As a shop is that was filled before there were attributes; taking one from a type takes its values along.
    what: 'a product type without an attribute',
    spoil: async () => {
      await without('ProductType', 'variantAttributes');
      await under.admin(
        `update dev_shop.document set data = data - 'attributes' where kind = 'ProductVariant'`,
      );
    },
    mended: ['product type agent-plan', ...variants.map(({ sku }) => `variant ${sku}`)],
  },
  {
    what: 'a channel that is closed, wants payment first and has no warehouse',
    spoil: async ({ channelId }) => {
      await updateChannel({
        id: channelId,
        input: { isActive: false, orderSettings: { allowUnpaidOrders: false } },
      });
      await without('Channel', 'warehouses');
    },
    mended: ['channel default-channel'],
  },
];

it.each(halfMade)('mends $what', async ({ spoil, mended }) => {
  const { sold } = await setup();
  const before = await under.ask(shown, { sku: 'AGENT-PRO-M' }, '');
  await spoil(sold);
  const mending = await setup();
  expect(changed(mending)).toEqual(mended.map((what) => `mended ${what}`));
  expect(mending.sold).toEqual(sold);
  expect(await under.ask(shown, { sku: 'AGENT-PRO-M' }, '')).toEqual(before);
  expect((await setup()).mutations).toEqual([]);
});

it('leaves a price and attribute values that somebody changed', async () => {
  const { sold } = await setup();
  const { id } = sold.variants['basic']!;
  await under.ask(
    'mutation($id: ID!, $input: [ProductVariantChannelListingAddInput!]!) { productVariantChannelListingUpdate(id: $id, input: $input) { errors { message } } }',
    { id, input: [{ channelId: sold.channelId, price: '12.50' }] },
  );
  await updateVariant({
    id,
    input: {
      attributes: [
        { id: await attributeId('billing-period'), dropdown: { value: 'Yearly' } },
        { id: await attributeId('included-credits'), numeric: '150' },
      ],
    },
  });
  const again = await setup();
  expect(changed(again)).toEqual([]);
  expect(again.mutations).toEqual([]);
  expect(await under.ask(shown, { sku: skuOf('basic') }, '')).toMatchObject({
    productVariant: {
      pricing: { price: { gross: { amount: 12.5 } } },
      attributes: [{ values: [{ name: 'Yearly' }] }, { values: [{ name: '150' }] }],
    },
  });
});

it('refuses a channel of another currency', () =>
  expect(setup({}, { currency: 'EUR' })).rejects.toThrow(
    'The channel default-channel sells in USD, not EUR. Name another channel, or its currency.',
  ));

it('refuses an attribute of another input type', async () => {
  const inputType = (type: string) =>
    under.admin(
      `update dev_shop.document set data = jsonb_set(data, '{inputType}', '"${type}"') where kind = 'Attribute' and data ->> 'slug' = 'included-credits'`,
    );
  await inputType('DROPDOWN');
  await expect(setup()).rejects.toThrow(
    'The attribute included-credits is there as DROPDOWN, and NUMERIC is needed: rename or delete it in the Dashboard.',
  );
  await inputType('NUMERIC');
});

it('refuses a product type that needs shipping', async () => {
  const shipping = (needed: boolean) =>
    under.admin(
      `update dev_shop.document set data = jsonb_set(data, '{isShippingRequired}', '${needed}') where kind = 'ProductType'`,
    );
  await shipping(true);
  await expect(setup()).rejects.toThrow('The product type agent-plan needs shipping');
  await shipping(false);
});

it('refuses the SKU of another product', async () => {
  const { sold } = await setup();
  const moveTo = (product: string) =>
    under.admin(
      `update dev_shop.document set data = jsonb_set(data, '{product}', to_jsonb((select pk from dev_shop.document where kind = 'Product' and data ->> 'slug' = '${product}'))) where data ->> 'sku' = 'AGENT-BASIC-M'`,
    );
  await moveTo('agent-credits');
  await expect(setup()).rejects.toThrow(
    'The SKU AGENT-BASIC-M belongs to another product of this shop: free it in the Dashboard.',
  );
  await moveTo('support-agent');
  expect((await setup()).sold).toEqual(sold);
});

it('says what a token lacks, and that nobody may do it', async () => {
  const permission = { codes: ['PermissionDenied'], message: expect.stringContaining('MANAGE_') as string };
  await expect(setup({ token: '' })).rejects.toMatchObject(permission);
  await expect(setup({ token: await limitedToken(under) }, { slug: 'another' })).rejects.toMatchObject(
    permission,
  );
});

it('says of an address in one sentence why it is no Saleor that answers', async () => {
  const silent = await listen(() => new Promise(() => undefined));
  await expect(setup({ url: `http://127.0.0.1:${silent.port}/graphql/`, deadlineMs: 100 })).rejects.toThrow(
    /gave no answer in 0\.1 s$/,
  );
  await expect(setup({ url: await answering('<p>Hello</p>', 'text/html') })).rejects.toThrow(
    /answered 200 text\/html: not a GraphQL endpoint$/,
  );
  await expect(setup({ url: await answering('[1]', 'application/json') })).rejects.toThrow(
    /answered 200 application\/json: not a GraphQL endpoint$/,
  );
  await expect(setup({ url: `http://127.0.0.1:${await freePort()}/graphql/` })).rejects.toThrow(
    /cannot be reached: .*ECONNREFUSED/,
  );
  await expect(
    setup({
      url: await answering(
        '{"errors":[{"message":"Cannot query field \\"warehouses\\" on type \\"Query\\"."}]}',
        'application/json',
      ),
    }),
  ).rejects.toThrow('Cannot query field "warehouses" on type "Query".');
});
