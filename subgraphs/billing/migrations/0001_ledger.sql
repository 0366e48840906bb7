-- Wallets, grants, reservations and the double-entry ledger. Amounts are bigint micro-credits.

-- The smallest UUIDv7 of an instant: bounds of partitions, which then prune by time.
create function uuid_at(at timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

create function time_of(id uuid) returns timestamptz language sql immutable parallel safe as $$
  select to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)
$$;

create table wallet (
  organization_id uuid primary key,
  id uuid not null unique,
  balance bigint not null default 0,
  reserved bigint not null default 0 check (reserved >= 0),
  -- What the organization owes: settled usage that neither reservation nor balance covered, and revoked top-ups already spent.
  debt bigint not null default 0 check (debt >= 0),
  seq bigint not null default 0,
  state text not null default 'OPEN' check (state in ('OPEN', 'FROZEN')),
  -- Earliest expiry among grants with something left; reserving past it sweeps first.
  next_expiry timestamptz,
  created_at timestamptz not null default now(),
  constraint wallet_never_overdrawn check (balance - reserved >= 0)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);

create table ledger_account (
  id text primary key,
  kind text not null check (kind in ('wallet', 'receivable', 'platform_revenue', 'platform_promo', 'external_cash', 'breakage')),
  organization_id uuid
);
insert into ledger_account (id, kind) values
  ('platform:revenue', 'platform_revenue'), ('platform:promo', 'platform_promo'), ('external:cash', 'external_cash'), ('platform:breakage', 'breakage');

-- Immutable price lists per offering; a reservation keeps the version it was made under.
create table rate_card (
  offering_id uuid not null,
  version int not null,
  prices jsonb not null,
  reserve bigint not null check (reserve > 0),
  created_at timestamptz not null default now(),
  primary key (offering_id, version)
);

create table reservation (
  id uuid not null primary key,
  organization_id uuid not null,
  instance_id uuid not null,
  offering_id uuid not null,
  amount bigint not null check (amount > 0),
  max_charge bigint check (max_charge > 0),
  rate_version int not null,
  status text not null default 'OPEN' check (status in ('OPEN', 'SETTLED', 'RELEASED', 'EXPIRED')),
  body_hash text not null,
  -- Usage reported so far by the run's owner, cumulative: what a crash is settled at.
  checkpoint jsonb,
  checkpoint_seq int not null default 0,
  charged bigint not null default 0,
  entry_id uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
) partition by range (id);
create index reservation_due on reservation (expires_at) where status = 'OPEN';
create index reservation_of_organization on reservation (organization_id, id);
create index reservation_of_instance on reservation (instance_id, id);

create table ledger_entry (
  id uuid not null primary key,
  organization_id uuid not null,
  -- From the wallet row's own update, so it cannot fork; gaps are found by the invariants.
  seq bigint not null,
  kind text not null check (kind in ('TOP_UP', 'GRANT', 'SETTLEMENT', 'EXPIRY', 'REFUND', 'ADJUSTMENT')),
  -- Change of the wallet's balance.
  amount bigint not null,
  balance_after bigint not null,
  at timestamptz not null default clock_timestamp(),
  run_id uuid,
  saleor_api_url text,
  saleor_order_id text,
  saleor_line_id text,
  actor text not null,
  reason text
) partition by range (id);
create index ledger_entry_of_wallet on ledger_entry (organization_id, seq desc);
create index ledger_entry_of_order on ledger_entry (saleor_order_id) where saleor_order_id is not null;
create index ledger_entry_of_run on ledger_entry (run_id) where run_id is not null;

create table transfer (
  entry_id uuid not null,
  leg int not null,
  organization_id uuid not null,
  debit_account text not null references ledger_account,
  credit_account text not null references ledger_account,
  amount bigint not null check (amount > 0),
  code text not null,
  primary key (entry_id, leg),
  check (debit_account <> credit_account)
) partition by range (entry_id);

create table usage_line (
  entry_id uuid not null,
  dimension text not null,
  organization_id uuid not null,
  quantity bigint not null check (quantity >= 0),
  -- Per 1,000,000 units.
  unit_price bigint not null check (unit_price >= 0),
  amount bigint not null check (amount >= 0),
  primary key (entry_id, dimension)
);

create table grants (
  id uuid primary key,
  organization_id uuid not null references wallet (organization_id),
  kind text not null check (kind in ('PAID', 'PLAN', 'TRIAL', 'PROMO', 'REFUND')),
  priority int not null,
  granted bigint not null check (granted > 0),
  remaining bigint not null check (remaining between 0 and granted),
  effective_at timestamptz not null default now(),
  expires_at timestamptz,
  source_key text not null,
  entry_id uuid not null,
  revoked boolean not null default false,
  unique (organization_id, source_key)
);
create index grants_to_burn on grants (organization_id, priority, expires_at nulls last, id) where remaining > 0;
create index grants_to_expire on grants (expires_at) where remaining > 0 and expires_at is not null;

create table grant_draw (
  entry_id uuid not null,
  grant_id uuid not null references grants,
  organization_id uuid not null,
  amount bigint not null check (amount > 0),
  primary key (entry_id, grant_id)
);

-- Written once: a ledger is corrected by further entries, never by changing one.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: % on % refused', tg_op, tg_table_name;
end $$;
create trigger append_only before update or delete on ledger_entry for each row execute function refuse_change();
create trigger append_only before update or delete on transfer for each row execute function refuse_change();
create trigger append_only before update or delete on usage_line for each row execute function refuse_change();
create trigger append_only before update or delete on grant_draw for each row execute function refuse_change();
create trigger append_only before update or delete on rate_card for each row execute function refuse_change();

-- Monthly partitions by the time inside the id, made ahead; the default one catches what no partition was made for.
create table reservation_default partition of reservation default;
create table ledger_entry_default partition of ledger_entry default;
create table transfer_default partition of transfer default;
create function ensure_partitions(months_ahead int) returns int language plpgsql security definer set search_path from current as $$
declare
  parent text;
  month date;
  name text;
  made int := 0;
begin
  for i in 0..months_ahead loop
    month := date_trunc('month', now() at time zone 'UTC')::date + make_interval(months => i);
    foreach parent in array array['reservation', 'ledger_entry', 'transfer'] loop
      name := parent || '_' || to_char(month, 'YYYY_MM');
      if to_regclass(name) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)', name, parent,
          uuid_at(month::timestamp at time zone 'UTC'), uuid_at((month + interval '1 month')::timestamp at time zone 'UTC'));
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end $$;
select ensure_partitions(3);

alter table wallet enable row level security;
alter table reservation enable row level security;
alter table ledger_entry enable row level security;
alter table transfer enable row level security;
alter table usage_line enable row level security;
alter table grants enable row level security;
alter table grant_draw enable row level security;
create policy tenant on wallet using (scope_allows(organization_id));
create policy tenant on reservation using (scope_allows(organization_id));
create policy tenant on ledger_entry using (scope_allows(organization_id));
create policy tenant on transfer using (scope_allows(organization_id));
create policy tenant on usage_line using (scope_allows(organization_id));
create policy tenant on grants using (scope_allows(organization_id));
create policy tenant on grant_draw using (scope_allows(organization_id));
