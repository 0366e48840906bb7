import { z } from 'zod';
import { microCreditsSchema } from '@agentstore/kernel/http/service-app';

/** The most that one command moves, in µcr: a thousand million credits, as `most_at_once()` in SQL. Beyond it is a slip of digits. */
export const mostAtOnce = 1_000_000_000_000_000n;

/** An amount above zero that a command may move. */
export const amountSchema = microCreditsSchema.refine(
  (amount) => amount > 0n && amount <= mostAtOnce,
  'more than zero, up to 10^15',
);

/** Counts as a runtime claims them: any decimal count is taken, since what was used must be settled; more than 10^18 counts as that. */
export const quantitySchema = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,29})$/, 'a decimal count')
  .transform((text) => {
    const quantity = BigInt(text);
    return quantity > mostCounted ? mostCounted : quantity;
  });
const mostCounted = 1_000_000_000_000_000_000n;
