import { operatorScope } from '@agentstore/kernel/access';
import { actorOf, type Caller } from '@agentstore/kernel/caller';
import { MAX_MICRO_CREDITS } from '@agentstore/kernel/credits';
import type { Uuid } from '@agentstore/kernel/ids';
import { done, refused, type Outcome, type Refusal } from '@agentstore/kernel/outcome';
import type { Room } from '../deps.ts';
import { walletIn } from './read-wallet.ts';
import { adjustWallet, type Wallet } from './wallets.store.ts';

/** Why an adjustment is refused, by code. */
export const adjustRefusals = {
  INVALID: 'The amount is zero, or the reason or the key is empty or too long.',
  WALLET_NOT_FOUND: 'The organization has no wallet.',
  INSUFFICIENT_CREDITS: 'More would be taken than is available.',
  IDEMPOTENCY_CONFLICT: 'The key was used before with another body.',
} as const;
export type AdjustRefusalCode = keyof typeof adjustRefusals;
export interface AdjustRefusal extends Refusal {
  readonly code: AdjustRefusalCode;
}

export interface Adjustment {
  readonly organizationId: Uuid | undefined;
  /** More than zero gives, less takes, in µcr. */
  readonly amount: bigint;
  readonly reason: string;
  readonly idempotencyKey: string;
}

/** What is wrong with an adjustment before the ledger is asked. */
export function checkAdjustment({ amount, reason, idempotencyKey }: Adjustment): AdjustRefusal | undefined {
  const invalid = (field: string, message: string): AdjustRefusal => ({ code: 'INVALID', field, message });
  if (amount === 0n || amount > MAX_MICRO_CREDITS / 2n || amount < -MAX_MICRO_CREDITS / 2n)
    return invalid('amount', 'Say how much to give, or to take with a minus.');
  if (reason.trim() === '' || reason.length > 500)
    return invalid('reason', 'Say why, in up to 500 characters.');
  if (idempotencyKey === '' || idempotencyKey.length > 200)
    return invalid('idempotencyKey', 'Send a key of up to 200 characters.');
  return undefined;
}

/** Corrects a wallet by hand, once per key, recorded with who and why. Throws FORBIDDEN for everybody but operators of the store. */
export async function adjust(
  room: Room,
  caller: Caller,
  input: Adjustment,
): Promise<Outcome<Wallet, AdjustRefusal>> {
  const scope = operatorScope(caller);
  const faulty = checkAdjustment(input);
  if (faulty) return refused(faulty);
  const { organizationId } = input;
  if (!organizationId) return refused({ code: 'WALLET_NOT_FOUND', message: adjustRefusals.WALLET_NOT_FOUND });
  const outcome = await adjustWallet(room.db, { ...input, organizationId, actor: actorOf(caller) });
  room.walletBell.ring(organizationId);
  if (!outcome.ok) {
    const { code, message } = outcome.error;
    return refused({ code: code as AdjustRefusalCode, message });
  }
  return done(await walletIn(room, scope, organizationId));
}
