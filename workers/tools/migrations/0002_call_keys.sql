-- Idempotency keys of tool calls: one call per key of an instance's tool, whose (redacted) result is kept until the key expires.
create table call_key (
  instance_id uuid not null,
  tool_id text not null,
  key_hash text not null,
  organization_id uuid not null,
  -- of the arguments and the binding: another call under the same key is a conflict
  call_hash text not null,
  -- who holds the key: the call's audit id
  audit_id uuid not null,
  claimed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- null while the call is under way, or when it broke off and nobody knows what it did
  result jsonb,
  primary key (instance_id, tool_id, key_hash)
);
create index call_key_expires on call_key (expires_at);
alter table call_key enable row level security;
create policy tenant on call_key using (scope_allows(organization_id));
