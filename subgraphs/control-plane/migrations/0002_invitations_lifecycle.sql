-- Who is asked to join before they have ever signed in; taken up at the first sign-in with that verified e-mail.
create table invitation (
  organization_id uuid not null references organization,
  email text not null check (email = lower(email)),
  role text not null check (role in ('ADMIN', 'BILLING', 'DEVELOPER', 'MEMBER', 'VIEWER')),
  invited_by text not null,
  created_at timestamptz not null default now(),
  accepted_by uuid references users,
  primary key (organization_id, email)
);
create index invitation_open on invitation (email) where accepted_by is null;
alter table invitation enable row level security;
create policy tenant on invitation using (scope_allows(organization_id));

alter table workspace enable row level security;
create policy tenant on workspace using (scope_allows(organization_id));

-- DRAFT → PUBLISHED → RETIRED → END_OF_LIFE: what somebody runs is never a draft again and never goes away.
create function keep_lifecycle() returns trigger language plpgsql as $$
declare
  states constant text[] := array['DRAFT', 'PUBLISHED', 'RETIRED', 'END_OF_LIFE'];
begin
  if tg_op = 'DELETE' then
    if old.state <> 'DRAFT' then raise exception 'offering version % is published and immutable', old.id; end if;
    return old;
  end if;
  if array_position(states, new.state) < array_position(states, old.state) then
    raise exception 'offering version % is %: its life goes forward, not to %', old.id, old.state, new.state;
  end if;
  return new;
end $$;
create trigger lifecycle before update or delete on offering_version for each row execute function keep_lifecycle();
