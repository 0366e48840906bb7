-- Only the holder of the branch's lease claims: what another writer claimed belongs to one that is gone.
alter table gitops_outbox add column claimed_by text;
