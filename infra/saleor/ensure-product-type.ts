import { askSaleor, SaleorError } from './ask-saleor.ts';
import { attributes, productType, type AttributeToSell } from './catalogue.ts';
import * as operations from './operations.ts';
import type { Edges, Id, Place, Shop } from './shop.ts';

async function ensureAttribute({ access, report }: Shop, wanted: AttributeToSell): Promise<string> {
  const what = `attribute ${wanted.slug}`;
  const { attribute } = await askSaleor<{ attribute: (Id & { inputType: string | null }) | null }>(
    access,
    operations.attributeBySlug,
    { slug: wanted.slug },
  );
  if (attribute) {
    if (attribute.inputType !== wanted.inputType)
      throw new SaleorError(
        `The attribute ${wanted.slug} is there as ${attribute.inputType}, and ${wanted.inputType} is needed: rename or delete it in the Dashboard.`,
      );
    report({ what, outcome: 'kept' });
    return attribute.id;
  }
  const { attributeCreate } = await askSaleor<{ attributeCreate: { attribute: Id } }>(
    access,
    operations.attributeCreate,
    {
      input: {
        name: wanted.name,
        slug: wanted.slug,
        type: 'PRODUCT_TYPE',
        inputType: wanted.inputType,
        ...(wanted.values ? { values: wanted.values.map((name) => ({ name })) } : {}),
      },
    },
  );
  report({ what, outcome: 'made' });
  return attributeCreate.attribute.id;
}

export async function ensureProductType(shop: Shop): Promise<Pick<Place, 'productType' | 'attributes'>> {
  const { access, report } = shop;
  const ids: Record<string, string> = {};
  for (const attribute of attributes) ids[attribute.slug] = await ensureAttribute(shop, attribute);
  const idsOf = (of: AttributeToSell['of']): string[] =>
    attributes.filter((one) => one.of === of).map(({ slug }) => ids[slug]!);
  const what = `product type ${productType.slug}`;
  interface Known extends Id {
    readonly isShippingRequired: boolean;
    readonly productAttributes: readonly Id[] | null;
    readonly assignedVariantAttributes: readonly { readonly attribute: Id }[] | null;
  }
  const { productTypes } = await askSaleor<{ productTypes: Edges<Known> }>(
    access,
    operations.productTypeBySlug,
    { slug: productType.slug },
  );
  const known = productTypes.edges[0]?.node;
  if (!known) {
    const { productTypeCreate } = await askSaleor<{ productTypeCreate: { productType: Id } }>(
      access,
      operations.productTypeCreate,
      {
        input: {
          ...productType,
          kind: 'NORMAL',
          hasVariants: true,
          isShippingRequired: false,
          productAttributes: idsOf('PRODUCT'),
          variantAttributes: idsOf('VARIANT'),
        },
      },
    );
    report({ what, outcome: 'made' });
    return { productType: productTypeCreate.productType.id, attributes: ids };
  }
  if (known.isShippingRequired)
    throw new SaleorError(
      `The product type ${productType.slug} needs shipping: a checkout of plans alone could not be completed.`,
    );
  const assigned = new Set([
    ...(known.productAttributes ?? []).map(({ id }) => id),
    ...(known.assignedVariantAttributes ?? []).map(({ attribute }) => attribute.id),
  ]);
  const missing = attributes.filter(({ slug }) => !assigned.has(ids[slug]!));
  if (missing.length)
    await askSaleor(access, operations.productAttributeAssign, {
      id: known.id,
      operations: missing.map(({ slug, of }) => ({ id: ids[slug], type: of })),
    });
  report({ what, outcome: missing.length ? 'mended' : 'kept' });
  return { productType: known.id, attributes: ids };
}
