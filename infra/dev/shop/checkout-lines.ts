import { checkPurchase } from './checkout.ts';
import { refuse } from './errors.ts';
import { pkOf } from './global-id.ts';
import { fromInput } from './metadata.ts';
import type { ChannelRecord, CheckoutLineRecord, CheckoutRecord } from './records.ts';
import { newUuid, type WritableStore } from './store.ts';

/** A line as a buyer states it: by variant, or by the line's own id. */
export interface LineInput {
  variantId?: string | null;
  lineId?: string | null;
  quantity?: number | null;
  forceNewLine?: boolean | null;
  metadata?: { key: string; value: string }[] | null;
}
/** The checkout with those lines added (`set: false`) or set to those quantities; a line of none goes. */
export async function withLines(
  tx: WritableStore,
  checkout: CheckoutRecord,
  about: { channel: ChannelRecord; lines: readonly LineInput[]; now: Date; set: boolean },
): Promise<CheckoutRecord> {
  const lines = [...checkout.lines];
  for (const input of about.lines) {
    const at = input.lineId
      ? lines.findIndex((line) => line.pk === pkOf('CheckoutLine', input.lineId!))
      : input.forceNewLine
        ? -1
        : lines.findIndex(
            (line) => input.variantId && line.variant === pkOf('ProductVariant', input.variantId),
          );
    const old = lines[at];
    const variantPk = old?.variant ?? (input.variantId ? pkOf('ProductVariant', input.variantId) : undefined);
    const variant = variantPk ? await tx.get('ProductVariant', variantPk) : undefined;
    if (!variant)
      throw refuse(
        'variantId',
        'NOT_FOUND',
        `Could not resolve to a node with the id list of '['${input.variantId}']'.`,
      );
    const quantity = about.set
      ? (input.quantity ?? old?.quantity ?? 0)
      : (old?.quantity ?? 0) + (input.quantity ?? 0);
    if (quantity === 0 && !about.set)
      throw refuse('quantity', 'ZERO_QUANTITY', 'The quantity should be higher than zero.');
    await checkPurchase(tx, about.channel, {
      variant,
      quantity,
      variantId: variant.pk,
      now: about.now.getTime(),
    });
    const next: CheckoutLineRecord = {
      pk: old?.pk ?? newUuid(),
      variant: variant.pk,
      quantity,
      metadata: { ...old?.metadata, ...fromInput(input.metadata, 'metadata') },
      privateMetadata: old?.privateMetadata ?? {},
    };
    if (old) lines[at] = next;
    else lines.push(next);
  }
  return {
    ...checkout,
    lines: lines.filter((line) => line.quantity > 0),
    updatedAt: about.now.toISOString(),
  };
}
