import { z } from 'zod';
import { serviceScope } from '@agentstore/kernel/access';
import { ProblemError } from '@agentstore/kernel/http/problem';
import { json, microCreditsSchema, readJson, type ServiceApp } from '@agentstore/kernel/http/service-app';
import { isUuid, type Uuid } from '@agentstore/kernel/ids';
import { amountSchema, mostAtOnce } from '../amounts.http.ts';
import type { Room } from '../deps.ts';
import { currentRateCard, putRateCard } from './rate-cards.store.ts';

const dimensions = ['run', 'input_token', 'output_token', 'tool_call', 'second'] as const;
/** µcr per million units, 1,000 credits a unit: a price beyond it is a slip of digits. */
const maxUnitPrice = mostAtOnce;
const cardBody = z.object({
  prices: z
    .array(
      z.object({
        dimension: z.enum(dimensions),
        unitPrice: microCreditsSchema.refine(
          (price) => price >= 0n && price <= maxUnitPrice,
          'from 0 to 10^15',
        ),
      }),
    )
    .min(1)
    .refine((prices) => new Set(prices.map(({ dimension }) => dimension)).size === prices.length, {
      message: 'one price a dimension',
    }),
  reserve: amountSchema,
});

/** Prices of offerings, set when an offering is registered. */
export function rateCardRoutes(app: ServiceApp, room: Room): void {
  app.put('/billing/rate-cards/:offeringId', async (c) => {
    const scope = serviceScope(c.var.caller, 'billing:rate');
    const offeringId = uuidOf(c.req.param('offeringId'));
    const { prices, reserve } = await readJson(c, cardBody);
    const card = {
      offeringId,
      reserve,
      prices: Object.fromEntries(prices.map(({ dimension, unitPrice }) => [dimension, unitPrice.toString()])),
    };
    return json({ version: await room.db.transaction(scope, (tx) => putRateCard(tx, card)) });
  });
  app.get('/billing/rate-cards/:offeringId', async (c) => {
    const scope = serviceScope(c.var.caller, 'billing:authorize');
    const card = await room.db.transaction(scope, (tx) =>
      currentRateCard(tx, uuidOf(c.req.param('offeringId'))),
    );
    if (!card)
      throw new ProblemError({
        status: 404,
        code: 'RATE_CARD_NOT_FOUND',
        title: 'The offering has no rate card.',
      });
    const prices = Object.entries(card.prices).map(([dimension, unitPrice]) => ({ dimension, unitPrice }));
    return json({ ...card, prices });
  });
}

function uuidOf(text: string): Uuid {
  if (!isUuid(text))
    throw new ProblemError({ status: 400, code: 'BAD_REQUEST', title: 'The id is not a UUID.' });
  return text;
}
