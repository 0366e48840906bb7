import { hasChoices, newChoice } from './attributes.ts';
import { InputErrors } from './errors.ts';
import { pkOf, toId } from './global-id.ts';
import { attributesOf } from './product-types.ts';
import type { AttributeRecord, AttributeValueRecord, AttributeValues, ProductTypeRecord } from './records.ts';
import type { WritableStore } from './store.ts';

/** A value, given in the member that belongs to the attribute's input type; without it the attribute loses its value. */
export interface AttributeValueInput {
  id?: string | null;
  dropdown?: Choice | null;
  multiselect?: Choice[] | null;
  numeric?: string | null;
  plainText?: string | null;
}
interface Choice {
  value?: string | null;
}

/** Whose values they are; `values` is undefined while it is being created. */
export interface AttributeHolder {
  readonly kind: 'Product' | 'ProductVariant';
  readonly pk: string;
  readonly type: ProductTypeRecord | undefined;
  readonly values: AttributeValues | undefined;
}

const longest = 250;
const assignedAs = { Product: 'productAttributes', ProductVariant: 'variantAttributes' } as const;

/**
 * The holder's values after the input. A choice is found by slug or name, and made when it is not there. Throws Saleor's refusals; an
 * attribute that needs a value may be left out of an update, not of a creation.
 */
export async function valuesAfter(
  tx: WritableStore,
  holder: AttributeHolder,
  inputs: readonly AttributeValueInput[],
): Promise<AttributeValues> {
  const attributes = await attributesOf(tx, holder.type, assignedAs[holder.kind]);
  const byPk = new Map(attributes.map((attribute) => [attribute.pk, attribute]));
  const given = inputs.map((input) => ({ input, attribute: byPk.get(pkOf('Attribute', input.id ?? '')) }));
  const foreign = given.filter(({ attribute }) => !attribute).map(({ input }) => input.id ?? '');
  if (foreign.length) throw foreignAttributes(holder.kind, foreign);
  const missing = attributes.filter(
    (one) => one.valueRequired && !holder.values && !given.some(({ attribute }) => attribute === one),
  );
  if (missing.length)
    throw refusal(
      'REQUIRED',
      'All attributes flagged as having a value required must be supplied.',
      missing.map(({ pk }) => toId('Attribute', pk)),
    );
  const values: Record<string, readonly AttributeValueRecord[]> = { ...holder.values };
  for (const { input, attribute } of given)
    values[attribute!.pk] = hasChoices(attribute!)
      ? await chosen(tx, attribute!, input)
      : await own(tx, attribute!, { input, holder });
  return values;
}

const refusal = (code: string, message: string, attributes: readonly string[]): InputErrors =>
  new InputErrors({ field: 'attributes', code, message, attributes });

const foreignAttributes = (kind: AttributeHolder['kind'], ids: readonly string[]): InputErrors =>
  kind === 'ProductVariant'
    ? new InputErrors({
        field: null,
        code: 'ATTRIBUTE_CANNOT_BE_ASSIGNED',
        message: 'Given attributes are not a variant attributes.',
        attributes: ids,
      })
    : refusal('NOT_FOUND', `Could not resolve attributes: ${ids.map((id) => `ID: ${id}`).join(', ')}.`, ids);

async function chosen(
  tx: WritableStore,
  attribute: AttributeRecord,
  input: AttributeValueInput,
): Promise<AttributeValueRecord[]> {
  const ids = [toId('Attribute', attribute.pk)];
  const single = input.dropdown ? [input.dropdown] : [];
  const names = (attribute.inputType === 'DROPDOWN' ? single : (input.multiselect ?? [])).flatMap(
    ({ value }) => value ?? [],
  );
  if (names.length === 0 && attribute.valueRequired)
    throw refusal('REQUIRED', 'Attribute expects a value but none were given.', ids);
  if (names.some((name) => !name.trim())) throw refusal('REQUIRED', 'Attribute values cannot be blank.', ids);
  if (names.some((name) => name.length > longest))
    throw refusal('INVALID', 'Attribute value length is exceeded.', ids);
  if (new Set(names).size < names.length)
    throw refusal('DUPLICATED_INPUT_ITEM', 'Duplicated attribute values are provided.', ids);
  const locked = (await tx.lock('Attribute', attribute.pk))!;
  const choices = [...locked.choices];
  const values: AttributeValueRecord[] = [];
  for (const name of names) {
    let choice = choices.find(({ slug }) => slug === name) ?? choices.find((one) => one.name === name);
    if (!choice) choices.push((choice = await newChoice(tx, choices, name)));
    values.push(choice);
  }
  if (choices.length > locked.choices.length) await tx.put('Attribute', { ...locked, choices });
  return values;
}

/** A number or a text belongs to the one product or variant: a new one takes the old one's place under its key. */
async function own(
  tx: WritableStore,
  attribute: AttributeRecord,
  { input, holder }: { input: AttributeValueInput; holder: AttributeHolder },
): Promise<AttributeValueRecord[]> {
  const ids = [toId('Attribute', attribute.pk)];
  const isNumber = attribute.inputType === 'NUMERIC';
  const text = (isNumber ? input.numeric : input.plainText) ?? '';
  if (!text.trim()) {
    if (attribute.valueRequired)
      throw refusal('REQUIRED', 'Attribute expects a value but none were given.', ids);
    return [];
  }
  if (isNumber && !Number.isFinite(Number(text))) throw refusal('INVALID', 'Numeric value is required.', ids);
  return [
    {
      pk: holder.values?.[attribute.pk]?.[0]?.pk ?? (await tx.nextPk('AttributeValue')),
      name: text.length > 200 ? `${text.slice(0, 199)}…` : text,
      slug: `${holder.pk}_${attribute.pk}`,
      plainText: isNumber ? null : text,
    },
  ];
}
