/** What the store sells in a shop: data only. Prices are in the channel's currency. */

export interface AttributeToSell {
  readonly slug: string;
  readonly name: string;
  readonly inputType: 'DROPDOWN' | 'MULTISELECT' | 'NUMERIC' | 'PLAIN_TEXT';
  readonly of: 'PRODUCT' | 'VARIANT';
  readonly values?: readonly string[];
}
export interface VariantToSell {
  readonly key: string;
  readonly sku: string;
  readonly name: string;
  readonly price: string;
  /** What it is to the store; `agentstore.kind` in its private metadata. */
  readonly kind: 'plan' | 'credits';
  readonly period: 'Monthly' | 'Once';
  readonly credits: number;
}
export interface ProductToSell {
  readonly slug: string;
  readonly name: string;
  readonly template: string;
  readonly capabilities: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly variants: readonly VariantToSell[];
}

export const productType = { slug: 'agent-plan', name: 'Agent plan' } as const;
export const category = { slug: 'agents', name: 'Agents' } as const;
export const warehouse = { slug: 'digital', name: 'Digital goods' } as const;

/** For filters and for people in the Dashboard; what the store itself acts on is in metadata and in its own plan table. */
export const attributes: readonly AttributeToSell[] = [
  { slug: 'agent-template', name: 'Agent template', inputType: 'PLAIN_TEXT', of: 'PRODUCT' },
  {
    slug: 'agent-capability',
    name: 'Capability',
    inputType: 'MULTISELECT',
    of: 'PRODUCT',
    values: ['Chat', 'API', 'Credits'],
  },
  {
    slug: 'billing-period',
    name: 'Billing period',
    inputType: 'DROPDOWN',
    of: 'VARIANT',
    values: ['Monthly', 'Once'],
  },
  { slug: 'included-credits', name: 'Included credits', inputType: 'NUMERIC', of: 'VARIANT' },
];

const plan = (key: string, name: string, price: string, credits: number): VariantToSell => ({
  key,
  sku: `AGENT-${key.toUpperCase()}-M`,
  name: `${name} monthly`,
  price,
  kind: 'plan',
  period: 'Monthly',
  credits,
});
const pack = (credits: number, price: string): VariantToSell => ({
  key: `pack${credits}`,
  sku: `CREDITS-${credits}`,
  name: `${credits} credits`,
  price,
  kind: 'credits',
  period: 'Once',
  credits,
});

export const products: readonly ProductToSell[] = [
  {
    slug: 'support-agent',
    name: 'Support agent',
    template: 'support-agent',
    capabilities: ['Chat', 'API'],
    metadata: { 'agentstore.template': 'support-agent' },
    variants: [
      plan('basic', 'Basic', '9.00', 100),
      plan('pro', 'Pro', '29.00', 500),
      plan('enterprise', 'Enterprise', '199.00', 5_000),
    ],
  },
  {
    slug: 'agent-credits',
    name: 'Agent credits',
    template: 'credits',
    capabilities: ['Credits'],
    metadata: {},
    variants: [pack(1_000, '10.00'), pack(5_000, '45.00')],
  },
];
