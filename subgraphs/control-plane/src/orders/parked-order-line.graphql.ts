import { operatorScope } from '@agentstore/kernel/access';
import { builder } from '../builder.ts';
import { parkedLines } from './orders.store.ts';

const ParkedOrderLine = builder
  .objectRef<Awaited<ReturnType<typeof parkedLines>>[number]>('ParkedOrderLine')
  .implement({
    description: 'A paid line that could not be granted and waits for an operator; nothing of it is lost.',
    fields: (t) => ({
      orderNumber: t.exposeString('orderNumber', { description: 'Number of the order in the shop.' }),
      orderId: t.exposeID('saleorOrderId', { description: "The shop's id of the order." }),
      orderLineId: t.exposeID('saleorLineId', { description: "The shop's id of the line." }),
      reason: t.exposeString('reason', { description: 'A stable word and a sentence: why.' }),
      parkedAt: t.expose('parkedAt', { type: 'DateTime', description: 'Since when.' }),
    }),
  });

builder.queryField('parkedOrderLines', (t) =>
  t.field({
    type: [ParkedOrderLine],
    description: 'The newest 200 paid lines that wait for an operator. Operators only.',
    resolve: (_root, _args, { deps, caller }) => deps.db.transaction(operatorScope(caller), parkedLines),
  }),
);
