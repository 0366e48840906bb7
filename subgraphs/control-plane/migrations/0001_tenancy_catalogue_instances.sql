-- Who, what is sold, and what runs for whom.

create table users (
  id uuid primary key,
  issuer text not null,
  subject text not null,
  email text not null,
  email_verified boolean not null,
  display_name text,
  saleor_user_id text unique,
  created_at timestamptz not null default now(),
  unique (issuer, subject)
);
create index users_by_email on users (lower(email)) where email_verified;

create table organization (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  created_at timestamptz not null default now()
);

create table project (
  id uuid primary key,
  organization_id uuid not null references organization,
  slug text not null,
  name text not null,
  created_at timestamptz not null default now(),
  unique (organization_id, slug)
);

create table membership (
  organization_id uuid not null references organization,
  user_id uuid not null references users,
  role text not null check (role in ('OWNER', 'ADMIN', 'BILLING', 'DEVELOPER', 'MEMBER', 'VIEWER')),
  created_at timestamptz not null default now(),
  primary key (organization_id, user_id)
);
create index membership_of_user on membership (user_id);

-- One automatic workspace per person.
create table workspace (
  user_id uuid primary key references users,
  organization_id uuid not null references organization,
  project_id uuid not null references project
);

create table api_key (
  id uuid primary key,
  organization_id uuid not null references organization,
  name text not null,
  prefix text not null,
  -- sha256 of the key; the key itself is shown once and kept nowhere.
  hash text not null unique,
  scopes text[] not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz
);

create table publisher (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  organization_id uuid references organization
);

create table offering (
  id uuid primary key,
  slug text not null unique,
  name text not null,
  publisher_id uuid not null references publisher,
  saleor_product_id text unique,
  saleor_channel text not null,
  capabilities jsonb not null default '[]',
  created_at timestamptz not null default now()
);

create table offering_version (
  id uuid primary key,
  offering_id uuid not null references offering,
  version text not null,
  state text not null default 'DRAFT' check (state in ('DRAFT', 'PUBLISHED', 'RETIRED', 'END_OF_LIFE')),
  bucket text not null,
  object_key text not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  size_bytes int not null check (size_bytes between 1 and 2097152),
  config jsonb not null default '{}',
  config_schema jsonb not null default '{"type": "object", "properties": {}}',
  published_at timestamptz,
  end_of_life_at timestamptz,
  created_at timestamptz not null default now(),
  unique (offering_id, version)
);
-- A published version is what its buyers run: its bytes and contract never change.
create function keep_published() returns trigger language plpgsql as $$
begin
  if old.state <> 'DRAFT' and (new.sha256, new.size_bytes, new.bucket, new.object_key, new.version, new.config, new.config_schema, new.offering_id)
     is distinct from (old.sha256, old.size_bytes, old.bucket, old.object_key, old.version, old.config, old.config_schema, old.offering_id) then
    raise exception 'offering version % is published and immutable', old.id;
  end if;
  return new;
end $$;
create trigger immutable before update on offering_version for each row execute function keep_published();

create table plan (
  id uuid primary key,
  offering_id uuid not null references offering,
  code text not null,
  name text not null,
  -- Null for the trial plan, which is not sold.
  saleor_variant_id text unique,
  included_credits bigint not null default 0 check (included_credits >= 0),
  credits_expire_days int,
  config jsonb not null default '{}',
  entitlements jsonb not null default '[]',
  max_run_seconds int not null default 300,
  max_concurrent_runs int not null default 5,
  unique (offering_id, code)
);

create table credit_pack (
  saleor_variant_id text primary key,
  credits bigint not null check (credits > 0),
  expires_after_days int
);

create table instance (
  id uuid primary key,
  organization_id uuid not null references organization,
  project_id uuid not null references project,
  offering_id uuid not null references offering,
  offering_version_id uuid not null references offering_version,
  plan_id uuid not null references plan,
  name text not null,
  state text not null check (state in ('REQUESTED', 'PROVISIONING', 'ACTIVE', 'PAUSED', 'TERMINATED')),
  desired_phase text not null default 'Active' check (desired_phase in ('Active', 'Paused', 'Terminated')),
  desired_generation int not null default 1,
  observed_generation int not null default 0,
  config jsonb not null default '{}',
  conditions jsonb not null default '[]',
  saleor_api_url text,
  saleor_order_id text,
  saleor_line_id text,
  idempotency_key text not null,
  requested_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  unique (organization_id, idempotency_key),
  check (observed_generation <= desired_generation)
);
create index instance_of_project on instance (project_id, id);
create index instance_of_order on instance (saleor_order_id) where saleor_order_id is not null;

create table instance_event (
  id uuid primary key,
  instance_id uuid not null references instance,
  organization_id uuid not null,
  generation int not null,
  kind text not null,
  message text not null,
  commit text,
  -- Since the generation was requested.
  duration_ms int,
  at timestamptz not null default clock_timestamp()
);
create unique index instance_event_once on instance_event (instance_id, generation, kind);

-- Desired states that Git does not have yet: the newest generation of an instance is what counts.
create table gitops_outbox (
  id uuid primary key,
  instance_id uuid not null references instance,
  organization_id uuid not null,
  generation int not null,
  actor text not null,
  requested_at timestamptz not null default clock_timestamp(),
  claimed_until timestamptz,
  unique (instance_id, generation)
);

-- What became of each line of an order; kept for ever, it is the idempotency of the shop's events.
create table order_line_grant (
  saleor_api_url text not null,
  saleor_order_id text not null,
  saleor_line_id text not null,
  organization_id uuid not null,
  outcome jsonb not null,
  created_at timestamptz not null default now(),
  primary key (saleor_api_url, saleor_order_id, saleor_line_id)
);
create table parked_order_line (
  saleor_api_url text not null,
  saleor_order_id text not null,
  saleor_line_id text not null,
  reason text not null,
  snapshot jsonb not null,
  parked_at timestamptz not null default now(),
  primary key (saleor_api_url, saleor_order_id, saleor_line_id)
);
create table revoked_order (
  saleor_api_url text not null,
  saleor_order_id text not null,
  reason text not null,
  revoked_at timestamptz not null default now(),
  primary key (saleor_api_url, saleor_order_id)
);
-- A guest's order waits for the first sign-in with its verified e-mail.
create table order_claim (
  saleor_api_url text not null,
  saleor_order_id text not null,
  email text not null,
  snapshot jsonb not null,
  created_at timestamptz not null default now(),
  claimed_by uuid references users,
  primary key (saleor_api_url, saleor_order_id)
);
create index order_claim_open on order_claim (lower(email)) where claimed_by is null;

alter table organization enable row level security;
alter table project enable row level security;
alter table membership enable row level security;
alter table api_key enable row level security;
alter table instance enable row level security;
alter table instance_event enable row level security;
alter table gitops_outbox enable row level security;
alter table order_line_grant enable row level security;
create policy tenant on organization using (scope_allows(id));
create policy tenant on project using (scope_allows(organization_id));
create policy tenant on membership using (scope_allows(organization_id));
create policy tenant on api_key using (scope_allows(organization_id));
create policy tenant on instance using (scope_allows(organization_id));
create policy tenant on instance_event using (scope_allows(organization_id));
create policy tenant on gitops_outbox using (scope_allows(organization_id));
create policy tenant on order_line_grant using (scope_allows(organization_id));
