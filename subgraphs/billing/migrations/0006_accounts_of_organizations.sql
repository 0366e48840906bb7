-- Accounts of an organization are its own; the platform's are everybody's to be named in transfers.
alter table ledger_account enable row level security;
create policy tenant on ledger_account using (organization_id is null or scope_allows(organization_id)) with check (scope_allows(organization_id));
