import { checkSlug } from './catalogue.ts';
import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { InputErrors, refuse } from './errors.ts';
import { pkOf, toId } from './global-id.ts';
import { idField, metadataFields } from './metadata.ts';
import { pageOf, type PageArgs } from './pages.ts';
import { payload } from './payload.ts';
import type { AttributeRecord, ProductTypeRecord } from './records.ts';
import { slugOf } from './slugs.ts';
import type { Store, WritableStore } from './store.ts';

interface ProductTypeInput extends Partial<
  Pick<ProductTypeRecord, 'name' | 'slug' | 'kind' | 'hasVariants' | 'isShippingRequired' | 'isDigital'>
> {
  productAttributes?: string[] | null;
  variantAttributes?: string[] | null;
}
interface Assignment {
  id: string;
  type: 'PRODUCT' | 'VARIANT';
}

const refuseAttributes = (code: string, message: string, attributes: readonly string[]): InputErrors =>
  new InputErrors({ field: 'operations', code, message, attributes });

/** The type with the attributes assigned too. Throws when one is unknown, assigned already, or of variants that the type does not have. */
async function withAttributes(
  tx: WritableStore,
  type: ProductTypeRecord,
  assignments: readonly Assignment[],
): Promise<ProductTypeRecord> {
  const pks = assignments.map(({ id }) => pkOf('Attribute', id));
  const known = await tx.many('Attribute', pks);
  const unknown = pks.filter((pk) => !known.has(pk));
  if (unknown.length) throw refuseAttributes('NOT_FOUND', "Attribute doesn't exist.", idsOf(unknown));
  const had = [...(type.productAttributes ?? []), ...(type.variantAttributes ?? [])];
  const again = pks.filter((pk, at) => had.includes(pk) || pks.indexOf(pk) !== at);
  if (again.length)
    throw refuseAttributes(
      'ATTRIBUTE_ALREADY_ASSIGNED',
      [...known.values()]
        .filter(({ pk }) => again.includes(pk))
        .map(({ name, slug }) => `${name} (${slug}) have already been assigned to this product type.`)
        .join(' '),
      idsOf(again),
    );
  const added = (of: Assignment['type']): string[] => pks.filter((_, at) => assignments[at]!.type === of);
  if (!type.hasVariants && added('VARIANT').length)
    throw refuseAttributes(
      'ATTRIBUTE_VARIANTS_DISABLED',
      'Variants are disabled in this product type.',
      idsOf(added('VARIANT')),
    );
  return {
    ...type,
    productAttributes: [...(type.productAttributes ?? []), ...added('PRODUCT')],
    variantAttributes: [...(type.variantAttributes ?? []), ...added('VARIANT')],
  };
}

const idsOf = (pks: readonly string[]): string[] => pks.map((pk) => toId('Attribute', pk));

/** The attributes of a type, in the order they were assigned. */
export async function attributesOf(
  store: Store,
  type: ProductTypeRecord | undefined,
  of: 'productAttributes' | 'variantAttributes',
): Promise<AttributeRecord[]> {
  const pks = type?.[of] ?? [];
  if (pks.length === 0) return [];
  const known = await store.many('Attribute', pks);
  return pks.flatMap((pk) => known.get(pk) ?? []);
}

/** Every mutation here needs MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES and runs in one transaction. */
const edit = <T extends object>(ctx: ShopContext, work: (tx: WritableStore, now: string) => Promise<T>) =>
  payload(async () => {
    await requirePermission(ctx, ['MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES']);
    return mutate(ctx, (tx) => work(tx, timestamp(ctx.shop)));
  });

export const productTypeMutations = {
  productTypeCreate: (_: unknown, { input }: { input: ProductTypeInput }, ctx: ShopContext) =>
    edit(ctx, async (tx, now) => {
      if (!input.name) throw refuse('name', 'REQUIRED', 'This field cannot be blank.');
      const slug = input.slug ?? slugOf(input.name);
      await checkSlug(tx, 'ProductType', slug);
      const blank: ProductTypeRecord = {
        pk: await tx.nextPk('ProductType'),
        name: input.name,
        slug,
        kind: input.kind ?? 'NORMAL',
        hasVariants: input.hasVariants ?? true,
        isShippingRequired: input.isShippingRequired ?? true,
        isDigital: input.isDigital ?? false,
        metadata: {},
        privateMetadata: {},
        updatedAt: now,
      };
      const productType = await withAttributes(tx, blank, [
        ...(input.productAttributes ?? []).map((id): Assignment => ({ id, type: 'PRODUCT' })),
        ...(input.variantAttributes ?? []).map((id): Assignment => ({ id, type: 'VARIANT' })),
      ]);
      await tx.put('ProductType', productType);
      return { productType };
    }),
  productAttributeAssign: (
    _: unknown,
    args: { productTypeId: string; operations: Assignment[] },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await tx.lock('ProductType', pkOf('ProductType', args.productTypeId));
      if (!old)
        throw refuse('productTypeId', 'NOT_FOUND', `Couldn't resolve to a node: ${args.productTypeId}`);
      const productType = { ...(await withAttributes(tx, old, args.operations)), updatedAt: now };
      await tx.put('ProductType', productType);
      return { productType };
    }),
};

export const productTypeQueries = {
  productType: (_: unknown, { id }: { id: string }, ctx: ShopContext) =>
    ctx.store.get('ProductType', pkOf('ProductType', id)),
  productTypes: async (
    _: unknown,
    args: PageArgs & { filter?: { search?: string; slugs?: string[]; ids?: string[] } | null },
    ctx: ShopContext,
  ) => {
    const ids = args.filter?.ids?.map((id) => pkOf('ProductType', id));
    const search = args.filter?.search?.toLowerCase();
    const found = (await ctx.store.all('ProductType')).filter(
      (type) =>
        (!ids || ids.includes(type.pk)) &&
        (!args.filter?.slugs || args.filter.slugs.includes(type.slug)) &&
        (!search || type.name.toLowerCase().includes(search) || type.slug.includes(search)),
    );
    return pageOf('productTypes', found, { ...args, keyOf: (one) => one.pk });
  },
};

export const productTypeTypes = {
  ProductType: {
    ...idField('ProductType'),
    ...metadataFields('ProductType'),
    productAttributes: (type: ProductTypeRecord, _: unknown, ctx: ShopContext) =>
      attributesOf(ctx.store, type, 'productAttributes'),
    // No attribute here is for variant selection.
    assignedVariantAttributes: async (
      type: ProductTypeRecord,
      args: { variantSelection?: string | null },
      ctx: ShopContext,
    ) =>
      args.variantSelection === 'VARIANT_SELECTION'
        ? []
        : (await attributesOf(ctx.store, type, 'variantAttributes')).map((attribute) => ({
            attribute,
            variantSelection: false,
          })),
  },
};
