-- A file that was refused before anything was applied under its name has a row too, with an empty spec: who waits for the instance sees why. Whose it
-- is may be what could not be read.
alter table applied_resource
  alter column organization_id drop not null,
  -- Looks at this generation so far, and when the next one is due: what stays unready is looked at ever more rarely.
  add column checks int not null default 0,
  add column next_check_at timestamptz not null default now(),
  -- Tombstones go some days after it.
  add column changed_at timestamptz not null default now();
create index applied_resource_due on applied_resource (next_check_at) where not deleted;

-- A report that the control plane does not take holds up no other one.
alter table report
  alter column told_version set default 0,
  add column attempts int not null default 0,
  add column next_attempt_at timestamptz not null default now();

alter table applied_resource enable row level security;
create policy tenant on applied_resource using (scope_allows(organization_id));
