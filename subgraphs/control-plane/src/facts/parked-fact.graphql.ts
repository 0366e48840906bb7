import { operatorScope } from '@agentstore/kernel/access';
import { builder } from '../builder.ts';
import { parkedFacts, type ParkedFact } from './parked-facts.store.ts';

const ParkedFactType = builder.objectRef<ParkedFact>('ParkedFact').implement({
  description:
    'Something that is owed to another part of the store, which does not take it: credits of an order or of a trial that do not reach their wallet. Nothing of it is lost.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id in the outbox.' }),
    topic: t.exposeString('topic', { description: 'What became true, such as CreditsGranted.' }),
    key: t.exposeString('key', { description: 'The row it is about; of credits, the organization.' }),
    reason: t.exposeString('reason', { description: 'What the receiver said last.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it became true.' }),
  }),
});

builder.queryField('parkedFacts', (t) =>
  t.field({
    type: [ParkedFactType],
    description: 'The newest 200 facts that wait for an operator. Operators only.',
    resolve: (_root, _args, { deps, caller }) => deps.db.transaction(operatorScope(caller), parkedFacts),
  }),
);
