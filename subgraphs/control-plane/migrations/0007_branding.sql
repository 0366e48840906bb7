-- How instances look on their owners' sites, and on which sites. It is data, not desired state: an edit is true with its commit, takes no way through Git
-- and gives no new generation.

create table branding (
  instance_id uuid primary key references instance,
  organization_id uuid not null references organization,
  -- Only what was asked for (`AskedBranding`): the rest is the store's defaults, as they are when it is read.
  asked jsonb not null,
  changed_at timestamptz not null default now(),
  changed_by text not null
);
alter table branding enable row level security;
create policy tenant on branding using (scope_allows(organization_id));
