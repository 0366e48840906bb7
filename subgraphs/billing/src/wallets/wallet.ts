import type { Wallet } from './wallets.store.ts';

/** OPEN can be reserved from; DEPLETED has nothing available; FROZEN was stopped by an operator. */
export type WalletState = 'OPEN' | 'DEPLETED' | 'FROZEN';

/** What the wallet is to its owner: derived, so it can never disagree with the balance. */
export const stateOf = (wallet: Pick<Wallet, 'state' | 'balance' | 'reserved'>): WalletState =>
  wallet.state === 'FROZEN' ? 'FROZEN' : wallet.balance - wallet.reserved <= 0n ? 'DEPLETED' : 'OPEN';

/** The wallet of an organization that was never granted anything. */
export const emptyWallet = (organizationId: string): Wallet => ({
  id: organizationId,
  organizationId,
  balance: 0n,
  reserved: 0n,
  debt: 0n,
  seq: 0n,
  state: 'OPEN',
});
