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
  last_seq int not null default 0
) with (fillfactor = 70);
create index run_to_claim on run (id) where state in ('QUEUED', 'RUNNING', 'CANCELLING');
create index run_of_instance on run (instance_id, id);
create index run_of_conversation on run (conversation_id, id);

-- Which run a client's idempotency key stands for; written before anything is reserved, so that a retry finds the same run id.
create table run_key (
  organization_id uuid not null,
  key text not null,
  body_hash text not null,
  run_id uuid not null,
  primary key (organization_id, key)
);

-- (run, seq), kept by the day in the run's id: all events of a run are in one partition, and a day is dropped whole.
create table run_event (
  day date not null,
  run_id uuid not null,
  seq int not null check (seq > 0),
  kind text not null,
  at timestamptz not null,
  payload jsonb not null,
  primary key (day, run_id, seq)
) partition by range (day);
create table run_event_default partition of run_event default;

create function day_of(run_id uuid) returns date language sql immutable parallel safe as $$
  select (to_timestamp(('x' || substr(replace(run_id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0) at time zone 'UTC')::date
$$;

create function ensure_partitions(days_ahead int) returns int language plpgsql security definer set search_path from current as $$
declare
  d date;
  name text;
  made int := 0;
begin
  for i in 0..days_ahead loop
    d := (now() at time zone 'UTC')::date + i;
    name := 'run_event_' || to_char(d, 'YYYY_MM_DD');
    if to_regclass(name) is null then
      execute format('create table %I partition of run_event for values from (%L) to (%L)', name, d, d + 1);
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;
select ensure_partitions(3);

-- Drops whole days older than the retention; answers how many.
create function drop_old_days(keep_days int) returns int language plpgsql security definer set search_path from current as $$
declare
  name text;
  dropped int := 0;
begin
  for name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'run_event'::regclass
      and c.relname ~ '^run_event_\d{4}_\d{2}_\d{2}$' and to_date(right(c.relname, 10), 'YYYY_MM_DD') < (now() at time zone 'UTC')::date - keep_days loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

-- One of 16 doorbells; the payload is the run's id, never the data.
create function ring(run_id uuid) returns void language sql as $$
  select pg_notify('runs_events_' || right(run_id::text, 1), run_id::text)
$$;

-- Appends in the name of the run's owner, in one round trip. The same events again change nothing; a hole or an old fence is refused.
create function append_events(p_run uuid, p_fence int, p_events jsonb) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r run;
  v_first int;
  v_last int;
begin
  select min(seq), max(seq) into v_first, v_last from jsonb_to_recordset(p_events) as e (seq int);
  update run set last_seq = greatest(last_seq, coalesce(v_last, 0))
    where id = p_run and fence = p_fence and state in ('RUNNING', 'CANCELLING') and coalesce(v_first, 1) <= last_seq + 1 returning * into r;
  if not found then
    select * into r from run where id = p_run;
    return case when r.id is null then jsonb_build_object('refused', 'RUN_NOT_FOUND')
      when r.fence <> p_fence or r.state not in ('RUNNING', 'CANCELLING') then jsonb_build_object('refused', 'RUN_FENCED')
      else jsonb_build_object('refused', 'SEQ_GAP', 'lastSeq', r.last_seq) end;
  end if;
  insert into run_event (day, run_id, seq, kind, at, payload)
    select day_of(p_run), p_run, e.seq, e.kind, e.at, e.payload from jsonb_to_recordset(p_events) as e (seq int, kind text, at timestamptz, payload jsonb)
    on conflict do nothing;
  perform ring(p_run);
  return jsonb_build_object('lastSeq', r.last_seq, 'cancelRequested', r.state = 'CANCELLING');
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
  update run set state = p_state, output = p_output, usage = p_usage, error = p_error, charge = p_charge, finished_at = now(), lease_owner = null, lease_until = null
    where id = p_run;
  return jsonb_build_object('replayed', false);
end $$;

alter table conversation enable row level security;
alter table run enable row level security;
alter table run_key enable row level security;
create policy tenant on conversation using (scope_allows(organization_id));
create policy tenant on run using (scope_allows(organization_id));
create policy tenant on run_key using (scope_allows(organization_id));

create function renew_lease(p_run uuid, p_fence int, p_lease_ms int) returns table ("cancelRequested" boolean, "remainingMs" int)
language sql set agentstore.scope = '*' as $$
  update run set lease_until = now() + make_interval(secs => p_lease_ms / 1000.0)
  where id = p_run and fence = p_fence and state in ('RUNNING', 'CANCELLING')
  returning state = 'CANCELLING', greatest(0, (extract(epoch from deadline_at - now()) * 1000)::int)
$$;
