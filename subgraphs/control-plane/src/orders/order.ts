import { z } from 'zod';

/** One line of an order as the provisioner read it back from the shop. */
const line = z.object({
  id: z.string(),
  quantity: z.int().min(1).max(1_000),
  variantId: z.string().nullable(),
  sku: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
});

/** A paid order, re-read from the shop. Metadata are the buyer's own words: hints, never entitlements. */
export const orderSnapshot = z.object({
  saleorApiUrl: z.string(),
  /** Why nothing new may be granted, when so: lines that were not granted before are parked with it. */
  held: z.string().max(300).optional(),
  order: z.object({
    id: z.string(),
    number: z.string(),
    channelSlug: z.string(),
    userId: z.string().nullable(),
    userEmail: z.string().nullable(),
    metadata: z.record(z.string(), z.string()),
    lines: z.array(line).max(200),
  }),
});
export type OrderSnapshot = z.output<typeof orderSnapshot>;
export type OrderLine = OrderSnapshot['order']['lines'][number];

/** What became of a line. */
export type LineOutcome =
  | {
      readonly lineId: string;
      readonly outcome: 'instance';
      readonly instanceIds: string[];
      readonly planGrant: { credits: string; expiresAfterDays: number | null } | null;
    }
  | {
      readonly lineId: string;
      readonly outcome: 'creditPack';
      readonly credits: string;
      readonly expiresAfterDays: number | null;
    }
  | { readonly lineId: string; readonly outcome: 'parked'; readonly reason: string };
