import type { ShopContext } from './context.ts';
import { asNode, edit, lockVariant } from './edits.ts';
import { InputErrors, refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import type { VariantRecord } from './records.ts';
import type { WritableStore } from './store.ts';

export interface StockInput {
  warehouse: string;
  quantity: number;
}
export async function stocksAfter(
  tx: WritableStore,
  old: VariantRecord['stocks'],
  input: readonly StockInput[],
): Promise<VariantRecord['stocks']> {
  const stocks = [...old];
  for (const { warehouse: id, quantity } of input) {
    const warehouse = pkOf('Warehouse', id);
    if (!(await tx.get('Warehouse', warehouse)))
      throw refuse('warehouse', 'NOT_FOUND', `Couldn't resolve to a node: ${id}`);
    const at = stocks.findIndex((stock) => stock.warehouse === warehouse);
    if (at >= 0) stocks[at] = { ...stocks[at]!, quantity };
    else stocks.push({ pk: await tx.nextPk('Stock'), warehouse, quantity, allocated: 0 });
  }
  return stocks;
}

export const stockMutations = {
  productVariantStocksCreate: (
    _: unknown,
    args: { variantId: string; stocks: StockInput[] },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await lockVariant(tx, { id: args.variantId });
      const warehouses = args.stocks.map(({ warehouse }) => pkOf('Warehouse', warehouse));
      const refused = (code: string, message: string, found: (pk: string, at: number) => boolean) =>
        warehouses.flatMap((pk, index) =>
          found(pk, index) ? [{ field: 'warehouse', code, message, index }] : [],
        );
      const faults = [
        ...refused(
          'DUPLICATED_INPUT_ITEM',
          'Duplicated warehouse ID.',
          (pk, at) => warehouses.indexOf(pk) !== at,
        ),
        ...refused('UNIQUE', 'Stock for this warehouse already exists for this product variant.', (pk) =>
          old.stocks.some((stock) => stock.warehouse === pk),
        ),
      ];
      if (faults.length) throw new InputErrors(...faults);
      const variant = { ...old, stocks: await stocksAfter(tx, old.stocks, args.stocks), updatedAt: now };
      await tx.put('ProductVariant', variant);
      return { productVariant: asNode(variant) };
    }),
  productVariantStocksUpdate: (
    _: unknown,
    args: { variantId?: string | null; sku?: string | null; stocks: StockInput[] },
    ctx: ShopContext,
  ) =>
    edit(ctx, async (tx, now) => {
      const old = await lockVariant(tx, { id: args.variantId ?? null, sku: args.sku ?? null });
      const variant = { ...old, stocks: await stocksAfter(tx, old.stocks, args.stocks), updatedAt: now };
      await tx.put('ProductVariant', variant);
      return { productVariant: asNode(variant) };
    }),
};
