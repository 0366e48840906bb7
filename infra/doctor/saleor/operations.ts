/**
 * What the doctor asks of a Saleor 3.22, as documents; a test holds each against the recorded schema of a running one and against the dev shop's.
 * Saleor's parser knows no literal null. Pages are small, since Saleor counts what a query may cost.
 */
export const reach = 'query { shop { name } }';

export const requestor = `query { me { email userPermissions { code } } app { name permissions { code } } }`;

export const shop = `query { shop { name version domain { url } } }`;

export const signIn = `mutation($email: String!, $password: String!) { tokenCreate(email: $email, password: $password) { token errors { field message code } } }`;

export const apps = `query { apps(first: 100) { edges { node { id identifier name isActive manifestUrl permissions { code }
  webhooks { id name isActive targetUrl subscriptionQuery asyncEvents { eventType } } } } } }`;

export const installations = `query { appsInstallations { manifestUrl status message } }`;

const delivery = `edges { node { createdAt eventType attempts(first: 6) { edges { node { createdAt responseStatusCode response } } } } }`;
export const deliveries = `query($id: ID!) { webhook(id: $id) {
  failed: eventDeliveries(first: 20, filter: { status: FAILED }) { ${delivery} }
  pending: eventDeliveries(first: 20, filter: { status: PENDING }) { ${delivery} } } }`;

export const plugin = `query($id: ID!) { plugin(id: $id) { globalConfiguration { active configuration { name value } } } }`;

export const channel = `query($slug: String!) { channel(slug: $slug) { id isActive warehouses { id }
  orderSettings { markAsPaidStrategy allowUnpaidOrders automaticallyConfirmAllNewOrders } } }`;

export const productType = `query($slugs: [String!]) { productTypes(first: 1, filter: { slugs: $slugs }) { edges { node { id isShippingRequired } } } }`;

export const products = `query($type: ID!, $after: String) { products(first: 20, after: $after, filter: { productTypes: [$type] }) {
  pageInfo { hasNextPage endCursor }
  edges { node { slug channelListings { channel { id } isPublished isAvailableForPurchase }
    productVariants(first: 100) { edges { node { sku name kind: privateMetafield(key: "agentstore.kind")
      channelListings { channel { id } price { amount } } stocks { warehouse { id } quantity } } } } } } } }`;
