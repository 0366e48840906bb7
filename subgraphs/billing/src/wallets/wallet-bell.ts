import type { Database } from '@agentstore/kernel/db/database';
import type { Log } from '@agentstore/kernel/log';
import type { Uuid } from '@agentstore/kernel/ids';

/** The channel on which followers of wallets, in any process, are told which organization's has changed. */
export const walletChannel = 'billing_wallet';

/** Rings for wallets that may have changed. */
export interface WalletBell {
  /** Call it after the commit, whatever was answered: a refusal may have reclaimed what was due. */
  ring(organizationId: Uuid): void;
  /** Rings for what is waiting. */
  stop(): Promise<void>;
}

/** How long wallets that changed wait for others to be told of with them. */
const gatherMs = 20;

/**
 * Tells of wallets outside the transactions that change them: NOTIFY takes a lock of the whole cluster at commit, and the ledger's commits must not
 * wait for each other. What is lost with the process, or while PostgreSQL is away, followers see by their own poll.
 */
export function createWalletBell({ db, log }: { db: Database; log: Log }): WalletBell {
  let changed = new Set<Uuid>();
  let timer: NodeJS.Timeout | undefined;
  let ringing: Promise<void> = Promise.resolve();

  function tell(): void {
    clearTimeout(timer);
    timer = undefined;
    if (changed.size === 0) return;
    const organizationIds = [...changed];
    changed = new Set();
    ringing = db
      .statement(
        'tell_wallets',
        `-- tellWallets\n select pg_notify('${walletChannel}', id::text) from unnest($1::uuid[]) as id`,
        [organizationIds],
      )
      .then(
        () => undefined,
        (error: unknown) => log.warn({ err: error }, 'followers of wallets were not told'),
      );
  }

  return {
    ring(organizationId) {
      changed.add(organizationId);
      timer ??= setTimeout(tell, gatherMs);
    },
    async stop() {
      tell();
      await ringing;
    },
  };
}
