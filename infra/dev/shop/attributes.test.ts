import { beforeAll, expect, it } from 'vitest';
import { setupCatalogue } from '../../saleor/setup-catalogue.ts';
import { limitedToken } from '../../saleor/testing/limited-token.ts';
import { useShop } from './testing/shop.ts';

const under = useShop({ empty: true });
const ids: Record<string, string> = {};
let product = '';
let variant = '';

const errors = 'errors { field code message }';
interface Refused {
  readonly errors: readonly object[];
}
/** The `errors` of a mutation's payload. */
async function refusals(query: string, variables: object, token?: string): Promise<readonly object[]> {
  const { body } = await under.raw(
    { query, variables },
    { authorization: `Bearer ${token ?? (await under.shop.staffToken())}` },
  );
  if (body.errors) throw new Error(body.errors[0]!.message);
  return (Object.values(body.data!)[0] as Refused).errors;
}
const updateProduct = (attributes: object[]) =>
  refusals(
    `mutation($id: ID!, $input: ProductInput!) { productUpdate(id: $id, input: $input) { ${errors} } }`,
    { id: product, input: { attributes } },
  );
const updateVariant = (attributes: object[]) =>
  refusals(
    `mutation($id: ID!, $input: ProductVariantInput!) { productVariantUpdate(id: $id, input: $input) { errors { field code message attributes } } }`,
    { id: variant, input: { attributes } },
  );
const create = (input: object, token?: string) =>
  refusals(
    `mutation($input: AttributeCreateInput!) { attributeCreate(input: $input) { ${errors} } }`,
    { input: { type: 'PRODUCT_TYPE', ...input } },
    token,
  );

beforeAll(async () => {
  const sold = await setupCatalogue(
    { url: under.shop.url, token: await under.shop.staffToken() },
    { channel: { slug: 'default-channel', currency: 'USD', country: 'US' } },
  );
  product = sold.productIds['support-agent']!;
  variant = sold.variants['pro']!.id;
  for (const slug of ['agent-template', 'agent-capability', 'billing-period', 'included-credits'])
    ids[slug] = (
      await under.ask<{ attribute: { id: string } }>(
        'query($slug: String) { attribute(slug: $slug) { id } }',
        { slug },
      )
    ).attribute.id;
});

it('finds a choice by slug or name, makes one that is not there, and gives it a slug of its own', async () => {
  const values = async () =>
    (
      await under.ask<{ product: { attributes: { values: object[] }[] } }>(
        'query($id: ID!) { product(id: $id) { attributes { values { id name slug } } } }',
        { id: product },
      )
    ).product.attributes[1]!.values;
  const [chat] = await values();
  expect(
    await updateProduct([
      {
        id: ids['agent-capability'],
        multiselect: [{ value: 'chat' }, { value: 'Credits' }, { value: 'Chat!' }],
      },
    ]),
  ).toEqual([]);
  expect(await values()).toEqual([
    chat,
    expect.objectContaining({ name: 'Credits', slug: 'credits' }),
    expect.objectContaining({ name: 'Chat!', slug: 'chat-2' }),
  ]);
});

it('keeps the key of a number or a text that is replaced', async () => {
  const value = async () =>
    (
      await under.ask<{ productVariant: { attributes: { values: { id: string; name: string }[] }[] } }>(
        'query($id: ID!) { productVariant(id: $id) { attributes { values { id name } } } }',
        { id: variant },
      )
    ).productVariant.attributes[1]!.values[0]!;
  const before = await value();
  expect(await updateVariant([{ id: ids['included-credits'], numeric: '7.5' }])).toEqual([]);
  expect(await value()).toEqual({ id: before.id, name: '7.5' });
});

it.each([
  ['a number that is none', 'included-credits', { numeric: 'many' }, 'INVALID', 'Numeric value is required.'],
  [
    'a blank choice',
    'billing-period',
    { dropdown: { value: ' ' } },
    'REQUIRED',
    'Attribute values cannot be blank.',
  ],
  [
    'a choice of 251 letters',
    'billing-period',
    { dropdown: { value: 'x'.repeat(251) } },
    'INVALID',
    'Attribute value length is exceeded.',
  ],
])('refuses %s', async (_, slug, value, code, message) =>
  expect(await updateVariant([{ id: ids[slug], ...value }])).toEqual([
    { field: 'attributes', code, message, attributes: [ids[slug]] },
  ]),
);

it('refuses the same choice twice', async () =>
  expect(
    await updateProduct([{ id: ids['agent-capability'], multiselect: [{ value: 'API' }, { value: 'API' }] }]),
  ).toEqual([
    {
      field: 'attributes',
      code: 'DUPLICATED_INPUT_ITEM',
      message: 'Duplicated attribute values are provided.',
    },
  ]));

it("refuses a product's attribute on a variant, and a variant's on a product", async () => {
  expect(await updateVariant([{ id: ids['agent-template'], plainText: 'x' }])).toMatchObject([
    { field: null, code: 'ATTRIBUTE_CANNOT_BE_ASSIGNED', attributes: [ids['agent-template']] },
  ]);
  expect(await updateProduct([{ id: ids['billing-period'], dropdown: { value: 'Once' } }])).toMatchObject([
    { field: 'attributes', code: 'NOT_FOUND' },
  ]);
});

it('refuses an attribute whose slug is taken, whose choices are alike, or whose type has none', async () => {
  expect(await create({ name: 'Twin', slug: 'billing-period' })).toMatchObject([
    { field: 'slug', code: 'UNIQUE', message: 'Attribute with this Slug already exists.' },
  ]);
  expect(await create({ name: 'Size', values: [{ name: 'S' }, { name: 's ' }] })).toMatchObject([
    { field: 'values', code: 'UNIQUE' },
  ]);
  expect(await create({ name: 'Note', inputType: 'PLAIN_TEXT', values: [{ name: 'a' }] })).toMatchObject([
    { field: 'values', code: 'INVALID', message: 'Values cannot be used with input type plain-text.' },
  ]);
  await expect(create({ name: 'Denied' }, await limitedToken(under))).rejects.toThrow(
    'MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES',
  );
});

it('wants the value of an attribute that needs one', async () => {
  const needs = `mutation($input: AttributeCreateInput!) { attributeCreate(input: $input) { attribute { id valueRequired withChoices } ${errors} } }`;
  const { attributeCreate } = await under.ask<{ attributeCreate: { attribute: { id: string } } }>(needs, {
    input: { name: 'Seats', type: 'PRODUCT_TYPE', inputType: 'NUMERIC', valueRequired: true },
  });
  expect(attributeCreate.attribute).toMatchObject({ valueRequired: true, withChoices: false });
  const { id } = attributeCreate.attribute;
  const typeId = (
    await under.ask<{ product: { productType: { id: string } } }>(
      'query($id: ID!) { product(id: $id) { productType { id } } }',
      { id: product },
    )
  ).product.productType.id;
  const assign = () =>
    refusals(
      `mutation($id: ID!, $operations: [ProductAttributeAssignInput!]!) { productAttributeAssign(productTypeId: $id, operations: $operations) { ${errors} } }`,
      { id: typeId, operations: [{ id, type: 'VARIANT' }] },
    );
  expect(await assign()).toEqual([]);
  expect(await assign()).toMatchObject([{ field: 'operations', code: 'ATTRIBUTE_ALREADY_ASSIGNED' }]);
  expect(
    await refusals(
      `mutation($input: ProductVariantCreateInput!) { productVariantCreate(input: $input) { ${errors} } }`,
      { input: { product, sku: 'SEATLESS', attributes: [] } },
    ),
  ).toMatchObject([{ field: 'attributes', code: 'REQUIRED' }]);
  expect(await updateVariant([{ id, numeric: '' }])).toMatchObject([{ code: 'REQUIRED' }]);
  // An update that says nothing of it is accepted.
  expect(await updateVariant([])).toEqual([]);
});

it('refuses a stock that is there already, and one warehouse twice', async () => {
  const { warehouses } = await under.ask<{ warehouses: { edges: { node: { id: string } }[] } }>(
    '{ warehouses(first: 1, filter: { slugs: ["digital"] }) { edges { node { id } } } }',
  );
  const stock = { warehouse: warehouses.edges[0]!.node.id, quantity: 1 };
  const stocks = (list: object[]) =>
    refusals(
      `mutation($id: ID!, $stocks: [StockInput!]!) { productVariantStocksCreate(variantId: $id, stocks: $stocks) { errors { field code index } } }`,
      { id: variant, stocks: list },
    );
  expect(await stocks([stock])).toEqual([{ field: 'warehouse', code: 'UNIQUE', index: 0 }]);
  expect(await stocks([stock, stock])).toContainEqual({
    field: 'warehouse',
    code: 'DUPLICATED_INPUT_ITEM',
    index: 1,
  });
});
