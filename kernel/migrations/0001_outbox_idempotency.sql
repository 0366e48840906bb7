-- Tables that every owner's schema has. Run with search_path = that schema.

-- Facts to be told to others, written in the same transaction as the change they tell of.
create table outbox (
  id uuid primary key,
  topic text not null,
  key text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  parked_reason text
);
create index outbox_due on outbox (next_attempt_at, id) where parked_reason is null;

-- The answer of every command that carried an idempotency key; scope is the organization or the system.
create table idempotency (
  scope text not null,
  command text not null,
  key text not null,
  body_hash text not null,
  answer jsonb,
  created_at timestamptz not null default now(),
  primary key (scope, command, key)
);

-- Row-level security: true when the transaction's scope covers the organization. `*` is the system's own work.
create function scope_allows(organization_id uuid) returns boolean language sql stable parallel safe as $$
  select case current_setting('agentstore.scope', true)
    when '*' then true
    when null then false
    when '' then false
    else organization_id::text = any (string_to_array(current_setting('agentstore.scope', true), ','))
  end
$$;
