import { callerScope } from '@agentstore/kernel/access';
import { turnLoader } from '@agentstore/kernel/db/turn-loader';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { builder } from './builder.ts';
import { chargesOf, spendOf } from './reservations/reservations.store.ts';
import { startOfPeriod, type SpendPeriod } from './ledger/spend-period.ts';

/** Types of other owners that billing adds fields to or points at; each is known by its id alone. */

const loadCharge = turnLoader((caller) => callerScope(caller, 'wallet:read'), chargesOf);

export const RunRef = builder.objectRef<{ id: string }>('Run').implement({
  description: 'One execution of an instance.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    charge: t.field({
      type: 'MicroCredits',
      nullable: true,
      description:
        'What the run was charged; 0 when nothing was. Null while it is under way, or for a caller who may not see the wallet. Of a run whose runner was lost it is what was reported until then; a late report may still raise it.',
      resolve: async ({ id }, _args, context) => {
        const runId = fromGlobalId('Run', id);
        if (!runId || context.caller.kind === 'ANONYMOUS') return null;
        return (await loadCharge(context, runId)) ?? null;
      },
    }),
  }),
});
builder.asEntity(RunRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

const SpendPeriodEnum = builder.enumType('SpendPeriod', {
  description: 'A stretch of time up to now, in UTC.',
  values: {
    TODAY: { description: 'Since midnight UTC.' },
    LAST_7_DAYS: { description: 'The last 7 × 24 hours.' },
    THIS_MONTH: { description: 'Since the first of the month, UTC.' },
    LAST_30_DAYS: { description: 'The last 30 × 24 hours.' },
    ALL: { description: 'Since the beginning.' },
  } as const,
});

const InstanceRef = builder.objectRef<{ id: string }>('Instance').implement({
  description: "One organization's running copy of an offering version.",
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Opaque id.' }),
    spend: t.field({
      type: 'MicroCredits',
      description: 'Charged to its runs that were started in the period.',
      args: { period: t.arg({ type: SpendPeriodEnum, description: 'Which stretch of time.' }) },
      resolve: async ({ id }, { period }, { deps, caller }) => {
        const instanceId = fromGlobalId('Instance', id);
        if (!instanceId) return 0n;
        return deps.db.transaction(callerScope(caller, 'wallet:read'), (tx) =>
          spendOf(tx, instanceId, startOfPeriod(period as SpendPeriod, new Date())),
        );
      },
    }),
  }),
});
builder.asEntity(InstanceRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});

/** Saleor's order; `topUps` is added in wallets/wallet.graphql.ts. */
export const OrderRef = builder.objectRef<{ id: string }>('Order').implement({
  description: 'An order of the shop.',
  fields: (t) => ({ id: t.exposeID('id', { description: "Saleor's id of the order." }) }),
});
builder.asEntity(OrderRef, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }) => ({ id }),
});
