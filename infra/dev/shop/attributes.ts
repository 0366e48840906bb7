import { checkSlug } from './catalogue.ts';
import { mutate, requirePermission, timestamp, type ShopContext } from './context.ts';
import { refuse } from './errors.ts';
import { pkOf, toId } from './global-id.ts';
import { idField, metadataFields } from './metadata.ts';
import { payload } from './payload.ts';
import { attributesOf } from './product-types.ts';
import type { AttributeRecord, AttributeValueRecord, AttributeValues, ProductTypeRecord } from './records.ts';
import { freeSlug, slugOf } from './slugs.ts';
import type { WritableStore } from './store.ts';

interface AttributeInput {
  name: string;
  slug?: string | null;
  inputType?: AttributeRecord['inputType'] | null;
  values?: { name: string }[] | null;
  valueRequired?: boolean | null;
}

export const hasChoices = ({ inputType }: Pick<AttributeRecord, 'inputType'>): boolean =>
  inputType === 'DROPDOWN' || inputType === 'MULTISELECT';

async function choicesOf(tx: WritableStore, input: AttributeInput): Promise<AttributeValueRecord[]> {
  const inputType = input.inputType ?? 'DROPDOWN';
  const names = (input.values ?? []).map(({ name }) => name);
  if (names.length && !hasChoices({ inputType }))
    throw refuse(
      'values',
      'INVALID',
      `Values cannot be used with input type ${inputType.toLowerCase().replace('_', '-')}.`,
    );
  if (new Set(names.map((name) => name.toLowerCase().trim())).size < names.length)
    throw refuse('values', 'UNIQUE', 'Provided values are not unique.');
  const choices: AttributeValueRecord[] = [];
  for (const name of names) choices.push(await newChoice(tx, choices, name));
  return choices;
}

/** A value beside those that are there, with a slug of its own. */
export const newChoice = async (
  tx: WritableStore,
  beside: readonly AttributeValueRecord[],
  name: string,
): Promise<AttributeValueRecord> => ({
  pk: await tx.nextPk('AttributeValue'),
  name,
  slug: freeSlug(
    slugOf(name),
    beside.map(({ slug }) => slug),
  ),
  plainText: null,
});

export const attributeMutations = {
  attributeCreate: (_: unknown, { input }: { input: AttributeInput }, ctx: ShopContext) =>
    payload(async () => {
      await requirePermission(ctx, ['MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES']);
      return mutate(ctx, async (tx) => {
        const slug = input.slug ?? slugOf(input.name);
        await checkSlug(tx, 'Attribute', slug);
        const attribute: AttributeRecord = {
          pk: await tx.nextPk('Attribute'),
          name: input.name,
          slug,
          inputType: input.inputType ?? 'DROPDOWN',
          valueRequired: input.valueRequired ?? false,
          choices: await choicesOf(tx, input),
          metadata: {},
          privateMetadata: {},
          updatedAt: timestamp(ctx.shop),
        };
        await tx.put('Attribute', attribute);
        return { attribute };
      });
    }),
};

export const attributeQueries = {
  attribute: async (_: unknown, args: { id?: string | null; slug?: string | null }, ctx: ShopContext) =>
    args.id
      ? ctx.store.get('Attribute', pkOf('Attribute', args.id))
      : args.slug
        ? (await ctx.store.find('Attribute', 'slug', args.slug))[0]
        : null,
};

/** Every attribute of the type with the values that one product or variant has, none where it has none. */
export async function selectedAttributes(
  ctx: ShopContext,
  type: ProductTypeRecord | undefined,
  { of, values }: { of: 'productAttributes' | 'variantAttributes'; values: AttributeValues | undefined },
) {
  return (await attributesOf(ctx.store, type, of)).map((attribute) => ({
    attribute,
    values: (values?.[attribute.pk] ?? []).map((value) => ({ ...value, inputType: attribute.inputType })),
  }));
}

export const attributeTypes = {
  Attribute: {
    ...idField('Attribute'),
    ...metadataFields('Attribute'),
    type: () => 'PRODUCT_TYPE',
    withChoices: hasChoices,
  },
  AttributeValue: { id: (value: AttributeValueRecord) => toId('AttributeValue', value.pk) },
};
