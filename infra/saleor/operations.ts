/**
 * What `saleor:setup` asks of a Saleor 3.22, as documents; a test holds each against the recorded schema of a running one and against the dev shop's.
 * Saleor's parser knows no literal null: everything that may be absent is in a variable.
 */
const errors = 'errors { field message code }';

export const shopInfo = /* GraphQL */ `
  query {
    shop {
      name
      version
    }
  }
`;

export const warehouseBySlug = `query($slug: String!) { warehouses(first: 100, filter: { slugs: [$slug] }) { edges { node { id slug } } } }`;
export const createWarehouse = `mutation($input: WarehouseCreateInput!) { createWarehouse(input: $input) { warehouse { id } ${errors} } }`;

export const channelBySlug = `query($slug: String!) { channel(slug: $slug) { id slug isActive currencyCode warehouses { id }
  orderSettings { markAsPaidStrategy allowUnpaidOrders automaticallyConfirmAllNewOrders } } }`;
export const channelCreate = `mutation($input: ChannelCreateInput!) { channelCreate(input: $input) { channel { id } ${errors} } }`;
export const channelUpdate = `mutation($id: ID!, $input: ChannelUpdateInput!) { channelUpdate(id: $id, input: $input) { channel { id } ${errors} } }`;

export const categoryBySlug = `query($slug: String!) { category(slug: $slug) { id } }`;
export const categoryCreate = `mutation($input: CategoryInput!) { categoryCreate(input: $input) { category { id } ${errors} } }`;

export const attributeBySlug = `query($slug: String!) { attribute(slug: $slug) { id inputType type } }`;
export const attributeCreate = `mutation($input: AttributeCreateInput!) { attributeCreate(input: $input) { attribute { id } ${errors} } }`;

export const productTypeBySlug = `query($slug: String!) { productTypes(first: 1, filter: { slugs: [$slug] }) { edges { node {
  id isShippingRequired productAttributes { id } assignedVariantAttributes { attribute { id } } } } } }`;
export const productTypeCreate = `mutation($input: ProductTypeInput!) { productTypeCreate(input: $input) { productType { id } ${errors} } }`;
export const productAttributeAssign = `mutation($id: ID!, $operations: [ProductAttributeAssignInput!]!) {
  productAttributeAssign(productTypeId: $id, operations: $operations) { ${errors} } }`;

export const productBySlug = `query($slug: String!) { product(slug: $slug) { id attributes { attribute { id } values { name } }
  channelListings { channel { id } isPublished visibleInListings isAvailableForPurchase } } }`;
export const productCreate = `mutation($input: ProductCreateInput!) { productCreate(input: $input) { product { id } ${errors} } }`;
export const productUpdate = `mutation($id: ID!, $input: ProductInput!) { productUpdate(id: $id, input: $input) { product { id } ${errors} } }`;
export const productListing = `mutation($id: ID!, $input: ProductChannelListingUpdateInput!) {
  productChannelListingUpdate(id: $id, input: $input) { ${errors} } }`;

export const variantBySku = `query($sku: String!) { productVariant(sku: $sku) { id product { id } trackInventory
  kind: privateMetafield(key: "agentstore.kind") channelListings { channel { id } price { amount } } stocks { warehouse { id } quantity }
  attributes { attribute { id } values { name } } } }`;
export const variantCreate = `mutation($input: ProductVariantCreateInput!) { productVariantCreate(input: $input) { productVariant { id } ${errors} } }`;
export const variantUpdate = `mutation($id: ID!, $input: ProductVariantInput!) {
  productVariantUpdate(id: $id, input: $input) { productVariant { id } ${errors} } }`;
export const variantPrice = `mutation($id: ID!, $input: [ProductVariantChannelListingAddInput!]!) {
  productVariantChannelListingUpdate(id: $id, input: $input) { ${errors} } }`;
export const variantStock = `mutation($id: ID!, $stocks: [StockInput!]!) {
  productVariantStocksCreate(variantId: $id, stocks: $stocks) { ${errors} } }`;
export const setPrivateMetadata = `mutation($id: ID!, $input: [MetadataInput!]!) { updatePrivateMetadata(id: $id, input: $input) { ${errors} } }`;
