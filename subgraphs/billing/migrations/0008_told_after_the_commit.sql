-- A NOTIFY inside a transaction takes one lock of the whole cluster at its commit, so that no two commits of the ledger shared a flush. Who
-- follows a wallet is told by the application, after the commit and many at once (`src/wallets/wallet-bell.ts`).
create or replace function tell_wallet(p_organization uuid) returns void language sql as '';
