import { refusalType } from '@agentstore/kernel/graphql/refusals';
import { fromGlobalId } from '@agentstore/kernel/ids';
import { builder } from '../builder.ts';
import { adjust, adjustRefusals, type AdjustRefusal } from './adjust-wallet.ts';
import { WalletType } from './wallet.graphql.ts';
import type { Wallet } from './wallets.store.ts';

const WalletError = refusalType(builder, 'Wallet', adjustRefusals);

const WalletPayload = builder
  .objectRef<{ wallet: Wallet | null; errors: readonly AdjustRefusal[] }>('WalletPayload')
  .implement({
    description: 'What became of a command on a wallet.',
    fields: (t) => ({
      wallet: t.field({
        type: WalletType,
        nullable: true,
        description: 'The wallet after it; null when it was refused.',
        resolve: ({ wallet }) => wallet,
      }),
      errors: t.field({
        type: [WalletError],
        description: 'Why it was refused; empty when it was done.',
        resolve: ({ errors }) => [...errors],
      }),
    }),
  });

const WalletAdjustInput = builder.inputType('WalletAdjustInput', {
  description: "A correction of an organization's wallet by hand.",
  fields: (t) => ({
    organizationId: t.id({ description: 'Whose wallet.' }),
    amount: t.field({
      type: 'MicroCredits',
      description: 'How much to give; with a minus, to take from what is available.',
    }),
    reason: t.string({ description: 'Why, for the record; up to 500 characters.' }),
    idempotencyKey: t.string({ description: 'The same key with the same body is done once.' }),
  }),
});

builder.mutationType({ description: 'Commands. Each has one input and answers the thing and its errors.' });
builder.mutationField('walletAdjust', (t) =>
  t.field({
    type: WalletPayload,
    description: 'Corrects a wallet by hand. For operators of the store; recorded with who and why.',
    args: { input: t.arg({ type: WalletAdjustInput, description: 'What to correct.' }) },
    resolve: async (_root, { input }, { deps, caller }) => {
      const organizationId = fromGlobalId('Organization', input.organizationId);
      const outcome = await adjust(deps, caller, { ...input, organizationId });
      return outcome.ok ? { wallet: outcome.value, errors: [] } : { wallet: null, errors: [outcome.error] };
    },
  }),
);
