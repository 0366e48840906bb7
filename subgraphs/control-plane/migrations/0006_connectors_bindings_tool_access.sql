-- What tools there are, who gave a secret for them, and which of them an instance may call.

-- Every state that a connector was registered in: policies pin one by its sha256, so none ever changes or goes.
create table connector_definition (
  sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  definition jsonb not null,
  -- Out of the definition, for those who only count and compare.
  tools text[] not null,
  secret_fields text[] not null,
  created_at timestamptz not null default now()
);
create function keep_definition() returns trigger language plpgsql as $$
begin
  raise exception 'connector definition % is pinned by policies and immutable', old.sha256;
end $$;
create trigger immutable before update or delete on connector_definition for each row execute function keep_definition();

create table connector (
  id uuid primary key,
  -- Null for the store's own, which everybody may bind.
  organization_id uuid references organization,
  slug text not null,
  definition_sha256 text not null references connector_definition,
  created_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  unique nulls not distinct (organization_id, slug)
);
create index connector_by_slug on connector (slug);

-- Metadata of a secret that lies in the secret store, under this id.
create table connector_binding (
  id uuid primary key,
  organization_id uuid not null references organization,
  project_id uuid not null references project,
  connector_id uuid not null references connector,
  name text not null,
  state text not null default 'PENDING' check (state in ('PENDING', 'ACTIVE', 'NEEDS_REAUTHORIZATION', 'REVOKED')),
  -- The newest version known to be stored; 0 before the first.
  secret_version int not null default 0 check (secret_version >= 0),
  -- One process at a time writes the secret; the claim of one that died ends by itself.
  write_claimed_until timestamptz,
  idempotency_key text not null,
  -- Of what was asked for under the key, without the secret, of which nothing is kept.
  request_hash text not null,
  created_at timestamptz not null default now(),
  rotated_at timestamptz,
  last_used_at timestamptz,
  -- Revoked, and the secret store has nothing of it any more.
  removed_at timestamptz,
  unique (organization_id, idempotency_key),
  check (state <> 'ACTIVE' or secret_version > 0)
);
create index connector_binding_of_project on connector_binding (project_id, connector_id, id);
create index connector_binding_unfinished on connector_binding (id) where state = 'PENDING' or (state = 'REVOKED' and removed_at is null);
-- A binding that is revoked stays so: the secret behind it is gone.
create function keep_revoked() returns trigger language plpgsql as $$
begin
  if old.state = 'REVOKED' and new.state <> 'REVOKED' then raise exception 'binding % is revoked for good', old.id; end if;
  return new;
end $$;
create trigger revoked before update on connector_binding for each row execute function keep_revoked();

alter table offering_version add column required_connectors jsonb not null default '[]';
alter table instance add column tool_rules jsonb not null default '[]';
create or replace function keep_published() returns trigger language plpgsql as $$
begin
  if old.state <> 'DRAFT'
     and (new.sha256, new.size_bytes, new.bucket, new.object_key, new.version, new.config, new.config_schema, new.offering_id, new.required_connectors)
     is distinct from (old.sha256, old.size_bytes, old.bucket, old.object_key, old.version, old.config, old.config_schema, old.offering_id, old.required_connectors) then
    raise exception 'offering version % is published and immutable', old.id;
  end if;
  return new;
end $$;

-- What the tool gateway has to hear at once. A cursor is given under a lock that is taken last in its transaction (the triggers are deferred to the commit)
-- and held until it has committed: cursors become visible in their order, a reader that goes on after the last one misses nothing, and nobody who holds the
-- lock waits for a row.
create sequence tool_access_cursor;
create table tool_access_change (
  cursor bigint primary key,
  organization_id uuid not null,
  binding_id uuid,
  instance_id uuid,
  at timestamptz not null,
  check (num_nonnulls(binding_id, instance_id) = 1)
);
create index tool_access_change_at on tool_access_change (at);
create function tell_tool_access() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7261005);
  insert into tool_access_change (cursor, organization_id, binding_id, instance_id, at)
    values (nextval('tool_access_cursor'), new.organization_id, case tg_argv[0] when 'BINDING' then new.id end, case tg_argv[0] when 'INSTANCE' then new.id end, clock_timestamp());
  perform pg_notify('control_plane_tool_access', 'changed');
  return null;
end $$;
create constraint trigger tell_binding after update of state, secret_version on connector_binding deferrable initially deferred
  for each row when ((old.state, old.secret_version) is distinct from (new.state, new.secret_version)) execute function tell_tool_access('BINDING');
create constraint trigger tell_instance after update of desired_phase on instance deferrable initially deferred
  for each row when (old.desired_phase is distinct from new.desired_phase) execute function tell_tool_access('INSTANCE');

alter table connector enable row level security;
alter table connector_binding enable row level security;
alter table tool_access_change enable row level security;
create policy tenant on connector using (scope_allows(organization_id));
create policy of_the_store on connector for select using (organization_id is null);
create policy tenant on connector_binding using (scope_allows(organization_id));
create policy tenant on tool_access_change using (scope_allows(organization_id));
