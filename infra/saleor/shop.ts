import type { SaleorAccess } from './ask-saleor.ts';

/** What became of one thing. */
export interface Done {
  readonly what: string;
  readonly outcome: 'made' | 'mended' | 'kept';
}

export interface Shop {
  readonly access: SaleorAccess;
  readonly report: (done: Done) => void;
}
export interface Id {
  readonly id: string;
}
export interface Edges<Node> {
  readonly edges: readonly { readonly node: Node }[];
}
export interface Place {
  readonly channel: string;
  readonly warehouse: string;
  readonly category: string;
  readonly productType: string;
  /** Attribute ids by slug. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Valued {
  readonly attributes: readonly {
    readonly attribute: Id;
    readonly values: readonly { readonly name: string | null }[];
  }[];
}
/** Those of our attributes that have no value yet; one that somebody gave another value stays. */
export const unset = <Input extends { readonly id: string }>(
  known: Valued,
  inputs: readonly Input[],
): Input[] =>
  inputs.filter(
    ({ id }) => !known.attributes.some((one) => one.attribute.id === id && one.values.length > 0),
  );

export const pairs = (metadata: Readonly<Record<string, string>>) =>
  Object.entries(metadata).map(([key, value]) => ({ key, value }));
