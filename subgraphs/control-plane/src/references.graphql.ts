import { builder } from './builder.ts';

/** Saleor's entities that this subgraph points at or adds fields to. `Product` and `ProductVariant` are reached with their channel. */

export const ProductRef = builder.objectRef<{ id: string; channel: string | null }>('Product').implement({
  description: 'A product of the shop.',
  fields: (t) => ({
    id: t.exposeID('id', { description: "Saleor's id of the product." }),
    channel: t.exposeString('channel', { nullable: true, description: 'Slug of the channel it is seen in.' }),
  }),
});
builder.asEntity(ProductRef, {
  key: [
    builder.selection<{ id: string; channel: string | null }>('id channel'),
    builder.selection<{ id: string }>('id'),
  ],
  resolveReference: (ref: { id: string; channel?: string | null }) => ({
    id: ref.id,
    channel: ref.channel ?? null,
  }),
});

export const ProductVariantRef = builder
  .objectRef<{ id: string; channel: string | null }>('ProductVariant')
  .implement({
    description: 'A variant of a product: what a buyer puts into the checkout.',
    fields: (t) => ({
      id: t.exposeID('id', { description: "Saleor's id of the variant." }),
      channel: t.exposeString('channel', {
        nullable: true,
        description: 'Slug of the channel it is seen in.',
      }),
    }),
  });
builder.asEntity(ProductVariantRef, {
  key: [
    builder.selection<{ id: string; channel: string | null }>('id channel'),
    builder.selection<{ id: string }>('id'),
  ],
  resolveReference: (ref: { id: string; channel?: string | null }) => ({
    id: ref.id,
    channel: ref.channel ?? null,
  }),
});

export const OrderRef = builder.objectRef<{ id: string }>('Order').implement({
  description: 'An order of the shop.',
  fields: (t) => ({ id: t.exposeID('id', { description: "Saleor's id of the order." }) }),
});
builder.asEntity(OrderRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

export const UserRef = builder.objectRef<{ id: string }>('User').implement({
  description: 'A person as the shop knows them.',
  fields: (t) => ({ id: t.exposeID('id', { description: "Saleor's id of the person." }) }),
});
builder.asEntity(UserRef, { key: builder.selection<{ id: string }>('id'), resolvable: false } as never);

export const RunRef = builder.objectRef<{ id: string }>('Run').implement({
  description: 'One execution of an instance.',
  fields: (t) => ({ id: t.exposeID('id', { description: 'Opaque id.' }) }),
});
builder.asEntity(RunRef, { key: builder.selection<{ id: string }>('id'), resolvable: false } as never);
