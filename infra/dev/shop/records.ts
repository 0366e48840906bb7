import type { Permission } from './permissions.ts';

/** Key and value pairs, public or private, as every object of the shop carries them. */
export type Metadata = Record<string, string>;

/** What every stored object has: `pk` is the part of its global id after the colon. Times are ISO 8601 in UTC; money is in minor units. */
export interface Stored {
  pk: string;
  metadata: Metadata;
  privateMetadata: Metadata;
  updatedAt: string;
}

export interface ChannelRecord extends Stored {
  slug: string;
  name: string;
  isActive: boolean;
  currencyCode: string;
  defaultCountry: string;
  warehouses: string[];
  automaticallyConfirmAllNewOrders: boolean;
  allowUnpaidOrders: boolean;
  markAsPaidStrategy: 'TRANSACTION_FLOW' | 'PAYMENT_FLOW';
}

export interface AddressRecord extends Stored {
  user: string | null;
  firstName: string;
  lastName: string;
  companyName: string;
  streetAddress1: string;
  streetAddress2: string;
  city: string;
  cityArea: string;
  postalCode: string;
  country: string;
  countryArea: string;
  phone: string | null;
}

export interface WarehouseRecord extends Stored {
  name: string;
  slug: string;
  email: string;
  address: string;
}

export interface CategoryRecord extends Stored {
  name: string;
  slug: string;
  description: string | null;
  parent: string | null;
}

export interface ProductTypeRecord extends Stored {
  name: string;
  slug: string;
  hasVariants: boolean;
  isShippingRequired: boolean;
  isDigital: boolean;
  kind: 'NORMAL' | 'GIFT_CARD';
  /** Attribute keys, in the order they were assigned; absent in types older than the fields. */
  productAttributes?: string[];
  variantAttributes?: string[];
}

export interface AttributeRecord extends Stored {
  name: string;
  slug: string;
  inputType: 'DROPDOWN' | 'MULTISELECT' | 'NUMERIC' | 'PLAIN_TEXT';
  valueRequired: boolean;
  /** What may be chosen; values of the other input types belong to the product or variant that has them. */
  choices: AttributeValueRecord[];
}
export interface AttributeValueRecord {
  pk: string;
  name: string;
  slug: string;
  plainText: string | null;
}
/** By attribute key. */
export type AttributeValues = Readonly<Record<string, readonly AttributeValueRecord[]>>;

export interface ProductListing {
  pk: string;
  channel: string;
  isPublished: boolean;
  publishedAt: string | null;
  visibleInListings: boolean;
  availableForPurchaseAt: string | null;
}

export interface ProductRecord extends Stored {
  name: string;
  slug: string;
  description: string | null;
  productType: string;
  category: string | null;
  externalReference: string | null;
  created: string;
  listings: ProductListing[];
  /** Absent in products older than the field. */
  attributes?: AttributeValues;
}

export interface VariantRecord extends Stored {
  product: string;
  name: string;
  sku: string | null;
  trackInventory: boolean;
  quantityLimitPerCustomer: number | null;
  externalReference: string | null;
  created: string;
  listings: { pk: string; channel: string; price: number }[];
  stocks: { pk: string; warehouse: string; quantity: number; allocated: number }[];
  /** Absent in variants older than the field. */
  attributes?: AttributeValues;
}

export interface UserRecord extends Stored {
  email: string;
  firstName: string;
  lastName: string;
  isStaff: boolean;
  isActive: boolean;
  isConfirmed: boolean;
  isSuperuser: boolean;
  permissions: Permission[];
  password: string | null;
  jwtKey: string;
  addresses: string[];
  externalReference: string | null;
  dateJoined: string;
  lastLogin: string | null;
}

export interface CheckoutLineRecord {
  pk: string;
  variant: string;
  quantity: number;
  metadata: Metadata;
  privateMetadata: Metadata;
}

export interface CheckoutRecord extends Stored {
  channel: string;
  currency: string;
  created: string;
  user: string | null;
  email: string | null;
  billingAddress: string | null;
  shippingAddress: string | null;
  lines: CheckoutLineRecord[];
}

export type OrderStatus = 'UNCONFIRMED' | 'UNFULFILLED' | 'FULFILLED' | 'CANCELED';
export type ChargeStatus = 'NONE' | 'PARTIAL' | 'FULL' | 'OVERCHARGED';

export interface OrderLineRecord {
  pk: string;
  variant: string | null;
  productVariantId: string;
  productName: string;
  variantName: string;
  sku: string | null;
  isShippingRequired: boolean;
  quantity: number;
  unitPrice: number;
  metadata: Metadata;
  privateMetadata: Metadata;
}

export interface OrderRecord extends Stored {
  number: number;
  channel: string;
  currency: string;
  created: string;
  status: OrderStatus;
  user: string | null;
  userEmail: string;
  billingAddress: string | null;
  shippingAddress: string | null;
  checkout: string | null;
  redirectUrl: string | null;
  total: number;
  /** Charged and not refunded: Saleor's `totalCharged` is net of refunds. */
  charged: number;
  authorized: number;
  chargeStatus: ChargeStatus;
  /** What orderMarkAsPaid charged in a channel with PAYMENT_FLOW, where no transaction is made. */
  paidByHand: number;
  /** Refunds that staff granted, paid out or not; absent in orders older than the field. */
  grantedRefunds?: GrantedRefundRecord[];
  lines: OrderLineRecord[];
}

/** A refund that staff granted: it lowers what the shop measures the charge against. */
export interface GrantedRefundRecord {
  pk: string;
  amount: number;
  reason: string;
  transaction: string;
  createdAt: string;
}

export interface TransactionEventRecord {
  pk: string;
  type: string;
  amount: number;
  pspReference: string;
  message: string;
  externalUrl: string;
  createdAt: string;
  /** INFO rows and refused reports are kept and not counted. */
  counted: boolean;
}

export interface TransactionRecord extends Stored {
  /** Global ids of transactions carry the token, which is also `pk`. */
  order: string | null;
  checkout: string | null;
  currency: string;
  name: string;
  message: string;
  pspReference: string;
  externalUrl: string;
  actions: string[];
  createdAt: string;
  createdByApp: string | null;
  createdByUser: string | null;
  authorized: number;
  charged: number;
  refunded: number;
  canceled: number;
  events: TransactionEventRecord[];
}

export interface AppRecord extends Stored {
  identifier: string | null;
  name: string;
  isActive: boolean;
  type: 'LOCAL' | 'THIRDPARTY';
  permissions: Permission[];
  created: string;
  /** sha256 of each token: a token is shown once and cannot be read again. */
  tokens: { pk: string; name: string; sha256: string; last4: string }[];
  installation: string | null;
  manifestUrl: string | null;
  appUrl: string | null;
  version: string | null;
  author: string | null;
  about: string | null;
  dataPrivacyUrl: string | null;
  homepageUrl: string | null;
  supportUrl: string | null;
  configurationUrl: string | null;
}

export interface InstallationRecord extends Stored {
  appName: string;
  manifestUrl: string;
  permissions: Permission[];
  activate: boolean;
  status: 'PENDING' | 'FAILED';
  message: string | null;
  createdAt: string;
}

export interface WebhookRecord extends Stored {
  app: string;
  name: string;
  targetUrl: string;
  events: string[];
  query: string;
  isActive: boolean;
  customHeaders: Record<string, string>;
}

export interface PluginRecord extends Stored {
  active: boolean;
  configuration: Record<string, string>;
}

export interface SettingsRecord extends Stored {
  enableAccountConfirmationByEmail: boolean;
}

/** Every kind of stored object; the key is also the type in its global id, except `Settings`. */
export interface Records {
  Channel: ChannelRecord;
  Address: AddressRecord;
  Warehouse: WarehouseRecord;
  Category: CategoryRecord;
  Attribute: AttributeRecord;
  ProductType: ProductTypeRecord;
  Product: ProductRecord;
  ProductVariant: VariantRecord;
  User: UserRecord;
  Checkout: CheckoutRecord;
  Order: OrderRecord;
  TransactionItem: TransactionRecord;
  App: AppRecord;
  AppInstallation: InstallationRecord;
  Webhook: WebhookRecord;
  Plugin: PluginRecord;
  Settings: SettingsRecord;
}
export type Kind = keyof Records;

/** A catalogue object seen through a channel (its slug); null for staff and apps that look at all channels. */
export interface InChannel<T> {
  readonly record: T;
  readonly channel: string | null;
}
