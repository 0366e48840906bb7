import { operatorScope, organizationScope, type Scope } from '@agentstore/kernel/access';
import type { Caller } from '@agentstore/kernel/caller';
import type { Tx } from '@agentstore/kernel/db/database';
import type { Uuid } from '@agentstore/kernel/ids';
import type { Room } from '../deps.ts';
import { emptyWallet } from './wallet.ts';
import { walletsOf, type Wallet } from './wallets.store.ts';

/** An organization's wallet for a caller who may read it there; null for everybody outside, to whom it does not exist. */
export async function readWallet(
  deps: Room,
  caller: Caller,
  organizationId: Uuid | undefined,
): Promise<Wallet | null> {
  const scope = organizationId ? organizationScope(caller, organizationId, 'wallet:read') : undefined;
  return scope && organizationId ? walletIn(deps, scope, organizationId) : null;
}

/** The same within a scope that was decided before. */
export async function walletIn(deps: Room, scope: Scope, organizationId: Uuid): Promise<Wallet> {
  const wallets = await deps.db.transaction(scope, (tx) => walletsOf(tx, [organizationId]));
  return wallets.get(organizationId) ?? emptyWallet(organizationId);
}

/**
 * Reads more about a wallet that the caller was given: with the same right by which it was read, or as an operator of the store, who was
 * given it by a command. Undefined for a caller outside.
 */
export async function inWallet<T>(
  deps: Room,
  caller: Caller,
  { organizationId, read }: { organizationId: Uuid; read: (tx: Tx) => Promise<T> },
): Promise<T | undefined> {
  const operator = caller.kind === 'USER' && caller.operator;
  const scope = operator ? operatorScope(caller) : organizationScope(caller, organizationId, 'wallet:read');
  return scope && deps.db.transaction(scope, read);
}
