-- How a run ends is stored before billing is asked, so that whoever owns it next settles and finishes it as it was decided; the terminal event is
-- made here, from the row. Processes of the version before cannot end runs on this schema: it was never released.

-- {state, output, usage, error, billed}: decided by an owner, not yet finished. `billed` is what billing is asked to settle.
alter table run add column ending jsonb;

-- Decides the end of a run in the name of its owner; the first decision holds.
create function decide_end(p_run uuid, p_fence int, p_ending jsonb) returns jsonb language plpgsql set agentstore.scope = '*' as $$
begin
  update run set ending = coalesce(ending, p_ending) where id = p_run and fence = p_fence and state in ('RUNNING', 'CANCELLING');
  if found then return '{}'; end if;
  return jsonb_build_object('refused', case when exists (select from run where id = p_run) then 'RUN_FENCED' else 'RUN_NOT_FOUND' end);
end $$;

-- Ends a run as it was decided, with what billing charged, once: the terminal event, the row and the doorbell in one commit.
drop function finish_run(uuid, int, text, text, jsonb, jsonb, bigint, jsonb);
create function finish_run(p_run uuid, p_fence int, p_charge bigint) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r run;
  v_kind text;
  v_payload jsonb := jsonb_build_object('charge', p_charge::text);
begin
  select * into r from run where id = p_run for update;
  if not found then return jsonb_build_object('refused', 'RUN_NOT_FOUND'); end if;
  if r.fence <> p_fence then return jsonb_build_object('refused', 'RUN_FENCED'); end if;
  -- The answer to the first attempt was lost.
  if r.state in ('SUCCEEDED', 'FAILED', 'CANCELLED') then return jsonb_build_object('replayed', true); end if;
  if r.ending is null then return jsonb_build_object('refused', 'NOT_DECIDED'); end if;
  case r.ending ->> 'state'
    when 'SUCCEEDED' then
      v_kind := 'RunFinished';
      v_payload := v_payload || jsonb_build_object('output', r.ending -> 'output', 'usage', r.ending -> 'usage');
    when 'FAILED' then
      v_kind := 'RunFailed';
      v_payload := v_payload || jsonb_build_object('error', r.ending -> 'error');
    when 'CANCELLED' then
      v_kind := 'RunCancelled';
  end case;
  insert into run_event (run_id, seq, organization_id, kind, at, payload)
    values (p_run, r.last_seq + 1, r.organization_id, v_kind, now(), v_payload);
  update run set state = r.ending ->> 'state', output = r.ending ->> 'output', usage = nullif(r.ending -> 'usage', 'null'),
    error = nullif(r.ending -> 'error', 'null'), charge = p_charge, finished_at = now(), last_seq = last_seq + 1,
    ending = null, lease_owner = null, lease_until = null where id = p_run;
  perform ring(p_run);
  return jsonb_build_object('replayed', false);
end $$;

-- Lets another owner have the run at once. The fence grows, so that a heartbeat still under way cannot take it back.
create function hand_back(p_run uuid, p_fence int) returns boolean language plpgsql set agentstore.scope = '*' as $$
begin
  update run set fence = fence + 1, lease_owner = null, lease_until = null
    where id = p_run and fence = p_fence and state in ('RUNNING', 'CANCELLING');
  if found then perform pg_notify('runs_queue', 'queue'); end if;
  return found;
end $$;

-- Partitions are asked through their table, whose policy then holds; asked directly they show nothing to the application's role.
create or replace function ensure_partition(day date) returns boolean language plpgsql security definer set search_path from current set timezone = 'UTC' as $$
declare
  name text := 'run_event_' || to_char(day, 'YYYY_MM_DD');
begin
  if to_regclass(name) is not null then return false; end if;
  perform pg_advisory_xact_lock(hashtext('runs.partitions'));
  if to_regclass(name) is not null then return false; end if;
  execute format('create table %I partition of run_event for values from (%L) to (%L)', name,
    first_uuid_at(day::timestamptz), first_uuid_at((day + 1)::timestamptz));
  execute format('alter table %I enable row level security', name);
  return true;
end $$;
do $$
declare
  partition regclass;
begin
  for partition in select inhrelid::regclass from pg_inherits where inhparent = 'run_event'::regclass loop
    execute format('alter table %s enable row level security', partition);
  end loop;
end $$;
