import { operatorScope } from '@agentstore/kernel/access';
import { builder } from '../builder.ts';
import { parkedLines, parkedOrders } from './parked-orders.store.ts';

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

const ParkedOrder = builder
  .objectRef<Awaited<ReturnType<typeof parkedOrders>>[number]>('ParkedOrder')
  .implement({
    description:
      'An order that cannot be brought to an end and waits for an operator. It is tried again by itself, so that mending the cause is enough.',
    fields: (t) => ({
      orderNumber: t.exposeString('orderNumber', {
        nullable: true,
        description: 'Number of the order in the shop, once it is known.',
      }),
      orderId: t.exposeID('saleorOrderId', { description: "The shop's id of the order." }),
      reason: t.exposeString('reason', { description: 'Stable words and sentences: why.' }),
      parkedAt: t.expose('parkedAt', { type: 'DateTime', description: 'Since when.' }),
    }),
  });

builder.queryField('parkedOrders', (t) =>
  t.field({
    type: [ParkedOrder],
    description:
      'The newest 200 orders that wait for an operator as a whole or for one of their lines. Operators only.',
    resolve: (_root, _args, { deps, caller }) => deps.db.transaction(operatorScope(caller), parkedOrders),
  }),
);
