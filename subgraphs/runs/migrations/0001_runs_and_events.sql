-- Conversations, runs and the log of their events.

create table conversation (
  id uuid primary key,
  organization_id uuid not null,
  instance_id uuid not null,
  title text,
  created_at timestamptz not null default now()
);
create index conversation_of_instance on conversation (instance_id, id);

create table run (
  id uuid primary key,
  organization_id uuid not null,
  instance_id uuid not null,
  offering_id uuid not null,
  conversation_id uuid not null references conversation,
  state text not null default 'QUEUED' check (state in ('QUEUED', 'RUNNING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
  input text not null,
  output text,
  usage jsonb,
  error jsonb,
  -- As the terminal event says it; the ledger is billing's.
  charge bigint,
  artifact jsonb not null,
  config jsonb not null,
  requested_by text not null,
  requested_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  deadline_at timestamptz not null,
  -- The one owner: it holds the lease, and the fence grows with each owner, so an old one can write nothing.
  lease_owner text,
  lease_until timestamptz,
  fence int not null default 0,
  attempt int not null default 0,
  last_seq int not null default 0,
  -- Usage so far as the owner last said it: what a run whose owner died is settled at.
  checkpoint jsonb
) with (fillfactor = 70);
create index run_to_claim on run (id) where state in ('QUEUED', 'RUNNING', 'CANCELLING');
create index run_active on run (instance_id) where state in ('QUEUED', 'RUNNING', 'CANCELLING');
create index run_of_instance on run (instance_id, id);
create index run_of_conversation on run (conversation_id, id);

-- Which run a client's idempotency key stands for; written before anything is reserved, so that a retry finds the same run id.
-- STARTING: credits may be reserved under the run's id · STARTED: the run exists, for ever · ABANDONED: nobody came back, being released.
create table run_key (
  organization_id uuid not null,
  key text not null,
  body_hash text not null,
  run_id uuid not null,
  state text not null default 'STARTING' check (state in ('STARTING', 'STARTED', 'ABANDONED')),
  touched_at timestamptz not null default now(),
  primary key (organization_id, key)
);
create index run_key_open on run_key (touched_at) where state <> 'STARTED';

-- (run, seq). Partitioned by the day in the run's id (UUIDv7 sorts by time): all events of a run are in one partition, and old
-- events go by dropping whole partitions.
create table run_event (
  run_id uuid not null,
  seq int not null check (seq > 0),
  organization_id uuid not null,
  kind text not null,
  at timestamptz not null,
  payload jsonb not null,
  primary key (run_id, seq)
) partition by range (run_id);

alter table conversation enable row level security;
alter table run enable row level security;
alter table run_key enable row level security;
alter table run_event enable row level security;
create policy tenant on conversation using (scope_allows(organization_id));
create policy tenant on run using (scope_allows(organization_id));
create policy tenant on run_key using (scope_allows(organization_id));
create policy tenant on run_event using (scope_allows(organization_id));

-- The lowest UUID that a UUIDv7 of that instant can have.
create function first_uuid_at(at timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

create function time_of(id uuid) returns timestamptz language sql immutable parallel safe as $$
  select to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)
$$;

-- Makes the partition of a day (UTC) unless it is there; answers whether it had to.
create function ensure_partition(day date) returns boolean language plpgsql security definer set search_path from current set timezone = 'UTC' as $$
declare
  name text := 'run_event_' || to_char(day, 'YYYY_MM_DD');
begin
  if to_regclass(name) is not null then return false; end if;
  perform pg_advisory_xact_lock(hashtext('runs.partitions'));
  if to_regclass(name) is not null then return false; end if;
  execute format('create table %I partition of run_event for values from (%L) to (%L)', name,
    first_uuid_at(day::timestamptz), first_uuid_at((day + 1)::timestamptz));
  return true;
end $$;

create function ensure_partition_of(run_id uuid) returns boolean language sql as $$
  select ensure_partition((time_of(run_id) at time zone 'UTC')::date)
$$;

-- Drops whole days older than the retention; answers how many. Gives up at once when readers hold it, the next round tries again.
create function drop_old_days(keep_days int) returns int language plpgsql security definer
set search_path from current set timezone = 'UTC' set lock_timeout = '2s' as $$
declare
  name text;
  dropped int := 0;
begin
  for name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'run_event'::regclass
      and to_date(right(c.relname, 10), 'YYYY_MM_DD') < (now() at time zone 'UTC')::date - keep_days loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

-- One of 16 doorbells; the payload is the run's id, never the data.
create function ring(run_id uuid) returns void language sql as $$
  select pg_notify('runs_events_' || right(run_id::text, 1), run_id::text)
$$;

-- Appends in the name of the run's owner, in one round trip. The same events again change nothing; a hole, other events under a seq
-- that is taken, or an old fence is refused.
create function append_events(p_run uuid, p_fence int, p_events jsonb) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r run;
  v_first int;
  v_last int;
  v_count int;
begin
  select * into r from run where id = p_run for update;
  if not found then return jsonb_build_object('refused', 'RUN_NOT_FOUND'); end if;
  if r.fence <> p_fence or r.state not in ('RUNNING', 'CANCELLING') then return jsonb_build_object('refused', 'RUN_FENCED'); end if;
  select min(seq), max(seq), count(*) into v_first, v_last, v_count from jsonb_to_recordset(p_events) as e (seq int);
  if v_count > 0 then
    if v_first > r.last_seq + 1 or v_last - v_first + 1 <> v_count then
      return jsonb_build_object('refused', 'SEQ_GAP', 'lastSeq', r.last_seq);
    end if;
    if v_first <= r.last_seq and exists (
      select from jsonb_to_recordset(p_events) as e (seq int, kind text, payload jsonb)
      join run_event o on o.run_id = p_run and o.seq = e.seq where o.kind <> e.kind or o.payload <> e.payload) then
      return jsonb_build_object('refused', 'SEQ_CONFLICT', 'lastSeq', r.last_seq);
    end if;
    if v_last > r.last_seq then
      insert into run_event (run_id, seq, organization_id, kind, at, payload)
        select p_run, e.seq, r.organization_id, e.kind, e.at, e.payload
        from jsonb_to_recordset(p_events) as e (seq int, kind text, at timestamptz, payload jsonb) where e.seq > r.last_seq;
      update run set last_seq = v_last where id = p_run;
      perform ring(p_run);
    end if;
  end if;
  return jsonb_build_object('lastSeq', greatest(r.last_seq, coalesce(v_last, 0)), 'cancelRequested', r.state = 'CANCELLING');
end $$;

-- Ends a run once: the terminal event, the row and the doorbell in one commit.
create function finish_run(p_run uuid, p_fence int, p_state text, p_output text, p_usage jsonb, p_error jsonb, p_charge bigint, p_events jsonb)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_appended jsonb;
begin
  v_appended := append_events(p_run, p_fence, p_events);
  if v_appended ? 'refused' then
    -- The answer to the first attempt was lost: the same end again is fine.
    if exists (select from run where id = p_run and fence = p_fence and state = p_state) then return jsonb_build_object('replayed', true); end if;
    return v_appended;
  end if;
  update run set state = p_state, output = p_output, usage = p_usage, error = p_error, charge = p_charge, finished_at = now(),
    lease_owner = null, lease_until = null where id = p_run;
  return jsonb_build_object('replayed', false);
end $$;

-- Keeps the lease and notes the usage so far; no row when the fence moved on. A lease of 0 hands the run to the next claimer.
create function renew_lease(p_run uuid, p_fence int, p_lease_ms int, p_checkpoint jsonb)
returns table ("cancelRequested" boolean, "remainingMs" int) language sql set agentstore.scope = '*' as $$
  update run set lease_until = now() + make_interval(secs => p_lease_ms / 1000.0), checkpoint = coalesce(p_checkpoint, checkpoint)
  where id = p_run and fence = p_fence and state in ('RUNNING', 'CANCELLING')
  returning state = 'CANCELLING', greatest(0, (extract(epoch from deadline_at - now()) * 1000)::int)
$$;

select ensure_partition(((now() at time zone 'UTC')::date + ahead)) from generate_series(0, 3) as ahead;
