import { has, type ShopContext } from './context.ts';
import { InputErrors, type InputError } from './errors.ts';
import { countryOf } from './countries.ts';
import { fromInput, idField, metadataFields } from './metadata.ts';
import type { AddressRecord } from './records.ts';
import type { Store, WritableStore } from './store.ts';

/** The parts of an address that people fill in. */
export interface AddressInput {
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly companyName?: string | null;
  readonly streetAddress1?: string | null;
  readonly streetAddress2?: string | null;
  readonly city?: string | null;
  readonly cityArea?: string | null;
  readonly postalCode?: string | null;
  readonly country?: string | null;
  readonly countryArea?: string | null;
  readonly phone?: string | null;
  readonly metadata?: { key: string; value: string }[] | null;
  readonly skipValidation?: boolean | null;
}

/** Stores an address; country, street and city are required. (The real one also checks postal codes and areas by country.) */
export async function addressFromInput(
  tx: WritableStore,
  input: AddressInput,
  about: { user: string | null; now: string; addressType?: string },
): Promise<AddressRecord> {
  const missing = input.skipValidation
    ? []
    : (['country', 'streetAddress1', 'city'] as const).filter((field) => !input[field]);
  if (missing.length)
    throw new InputErrors(
      ...missing.map((field): InputError => ({
        field,
        code: 'REQUIRED',
        message: 'This field is required.',
        ...(about.addressType ? { addressType: about.addressType } : {}),
      })),
    );
  const address: AddressRecord = {
    pk: await tx.nextPk('Address'),
    user: about.user,
    firstName: input.firstName ?? '',
    lastName: input.lastName ?? '',
    companyName: input.companyName ?? '',
    streetAddress1: input.streetAddress1 ?? '',
    streetAddress2: input.streetAddress2 ?? '',
    city: input.city ?? '',
    cityArea: input.cityArea ?? '',
    postalCode: input.postalCode ?? '',
    country: input.country ?? '',
    countryArea: input.countryArea ?? '',
    phone: input.phone ?? null,
    metadata: fromInput(input.metadata, 'metadata'),
    privateMetadata: {},
    updatedAt: about.now,
  };
  await tx.put('Address', address);
  return address;
}

/** The address behind an order or checkout; others than the owner and order staff see none. */
export async function addressFor(
  ctx: ShopContext,
  pk: string | null,
  owner: string | null,
): Promise<AddressRecord | null> {
  if (!pk) return null;
  const requestor = await ctx.requestor();
  const own = requestor.kind === 'user' && requestor.user.pk === owner;
  if (
    !own &&
    owner !== null &&
    !has(requestor, 'MANAGE_ORDERS', 'MANAGE_CHECKOUTS', 'MANAGE_USERS', 'HANDLE_PAYMENTS')
  )
    return null;
  return (await ctx.store.get('Address', pk)) ?? null;
}

/** Addresses by key, in the order given. */
export async function addressesOf(store: Store, pks: readonly string[]): Promise<AddressRecord[]> {
  const found = await store.many('Address', pks);
  return pks.flatMap((pk) => found.get(pk) ?? []);
}

export const addressTypes = {
  Address: {
    ...idField('Address'),
    ...metadataFields('Address'),
    country: (address: AddressRecord) => countryOf(address.country),
    isDefaultShippingAddress: () => false,
    isDefaultBillingAddress: () => false,
  },
};
