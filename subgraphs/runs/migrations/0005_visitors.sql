-- Visitors of sites with the widget. What they said with one instance is theirs to see; the organization sees it as before. Nothing else shows them a
-- row: only the policies below know their scope, `visitor:<organization>:<instance>:<visitor>`.

create function visitor_allows(organization_id uuid, instance_id uuid, visitor_id uuid) returns boolean language sql stable parallel safe as $$
  select coalesce(current_setting('agentstore.scope', true) = 'visitor:' || organization_id || ':' || instance_id || ':' || visitor_id, false)
$$;

-- Null: it is of the organization's own.
alter table conversation add column visitor_id uuid;
create index conversation_of_visitor on conversation (instance_id, visitor_id, id) where visitor_id is not null;

-- Most that the run may be charged; kept of visitors' runs, where it counts towards their cap until the run has ended.
alter table run add column visitor_id uuid, add column max_charge bigint,
  add constraint run_of_a_visitor_is_bounded check (visitor_id is null or max_charge is not null);
create index run_of_visitor on run (instance_id, visitor_id, requested_at) where visitor_id is not null;

-- A visitor's key is kept as `<visitor>`, a line break and the key, so that nobody else can send it. `max_charge` is what its run reserves under: it
-- stays the same however often the start is tried, since billing takes one body under a run's id.
alter table run_key add column instance_id uuid, add column visitor_id uuid, add column max_charge bigint;

-- What people thought of an answer: the last word of each. `visitor_id`: of the visitor who is the rater.
create table run_rating (
  run_id uuid not null references run,
  rater text not null,
  organization_id uuid not null,
  instance_id uuid not null,
  visitor_id uuid,
  rating text not null check (rating in ('UP', 'DOWN')),
  reason text check (char_length(reason) <= 1000),
  at timestamptz not null default now(),
  primary key (run_id, rater)
);
alter table run_rating enable row level security;
create policy tenant on run_rating using (scope_allows(organization_id));

create policy visitor on conversation for select using (visitor_allows(organization_id, instance_id, visitor_id));
create policy visitor on run for select using (visitor_allows(organization_id, instance_id, visitor_id));
create policy visitor_cancels on run for update using (visitor_allows(organization_id, instance_id, visitor_id));
create policy visitor on run_event for select
  using ((select visitor_allows(r.organization_id, r.instance_id, r.visitor_id) from run r where r.id = run_event.run_id));
create policy visitor on run_key using (visitor_allows(organization_id, instance_id, visitor_id));
create policy visitor on run_rating using (visitor_allows(organization_id, instance_id, visitor_id));

-- Of the visitor's runs of the last 24 hours: what those that ended were charged (their most, where billing could not say), and what the open ones may be.
create function visitor_spend(p_instance uuid, p_visitor uuid, out charged numeric, out held numeric) language sql stable as $$
  select coalesce(sum(coalesce(charge, max_charge)) filter (where finished_at is not null), 0),
    coalesce(sum(max_charge) filter (where finished_at is null), 0)
  from run where instance_id = p_instance and visitor_id = p_visitor and requested_at > now() - interval '24 hours'
$$;

-- As in 0002, for a visitor too: the conversation must be theirs (a member's must be no visitor's), and a new key's run may be charged what is left of their
-- cap. `held`: open runs of theirs hold some of it. The former functions are dropped, as in 0004.
drop function claim_start(uuid, text, text, uuid, uuid, uuid);
create function claim_start(p_organization uuid, p_key text, p_body_hash text, p_run uuid, p_instance uuid, p_conversation uuid,
  p_visitor uuid, p_spend_cap numeric) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  k run_key;
  v_charged numeric;
  v_held numeric;
  v_most bigint;
begin
  if p_visitor is not null then
    select charged, held into v_charged, v_held from visitor_spend(p_instance, p_visitor);
    -- Not less than 1: billing refuses it as too low, and nothing is decided here.
    v_most := least(greatest(p_spend_cap - v_charged - v_held, 1), 9223372036854775807);
  end if;
  insert into run_key (organization_id, key, body_hash, run_id, instance_id, visitor_id, max_charge)
    values (p_organization, p_key, p_body_hash, p_run, p_instance, p_visitor, v_most)
    on conflict (organization_id, key) do update
      set touched_at = case when run_key.state = 'STARTING' then now() else run_key.touched_at end
    returning * into k;
  return jsonb_build_object('runId', k.run_id, 'bodyHash', k.body_hash, 'state', k.state, 'active', active_runs(p_instance),
    'maxCharge', k.max_charge::text, 'held', coalesce(v_held > 0, false), 'conversationIsKnown', exists (
      select from conversation where id = p_conversation and organization_id = p_organization and instance_id = p_instance
        and visitor_id is not distinct from p_visitor));
end $$;

-- As in 0004; conversation and run are the visitor's whose key it is. Under the instance's lock the visitor's runs are counted once more, the open ones at
-- the most that they may be charged, so that starts at the same moment do not get past the cap together: SPENT when too little is left of it, FULL when
-- it is held by open runs.
drop function queue_run(uuid, text, uuid, uuid, uuid, uuid, uuid, text, text, jsonb, jsonb, text, int, int, uuid, jsonb);
create function queue_run(p_organization uuid, p_key text, p_run uuid, p_instance uuid, p_offering uuid, p_conversation uuid, p_new_conversation uuid,
  p_title text, p_input text, p_artifact jsonb, p_config jsonb, p_actor text, p_seconds int, p_max_active int, p_project uuid, p_tool_grants jsonb,
  p_spend_cap numeric)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  k run_key;
  v_conversation uuid := coalesce(p_conversation, p_new_conversation);
  v_charged numeric;
  v_held numeric;
  v_refusal text;
begin
  select * into k from run_key where organization_id = p_organization and key = p_key for update;
  if not found or k.run_id <> p_run or k.state = 'ABANDONED' then return jsonb_build_object('outcome', 'GONE'); end if;
  if k.state = 'STARTED' then return jsonb_build_object('outcome', 'STARTED'); end if;
  perform pg_advisory_xact_lock(hashtextextended('run:' || p_instance::text, 0));
  if active_runs(p_instance) >= p_max_active then
    v_refusal := 'FULL';
  elsif k.visitor_id is not null then
    select charged, held into v_charged, v_held from visitor_spend(p_instance, k.visitor_id);
    if (v_charged + v_held + k.max_charge <= p_spend_cap) is not true then
      v_refusal := case when v_held > 0 then 'FULL' else 'SPENT' end;
    end if;
  end if;
  if v_refusal is not null then
    update run_key set state = 'ABANDONED' where organization_id = p_organization and key = p_key;
    return jsonb_build_object('outcome', v_refusal);
  end if;
  if p_conversation is null then
    insert into conversation (id, organization_id, instance_id, visitor_id, title)
      values (p_new_conversation, p_organization, p_instance, k.visitor_id, p_title);
  end if;
  insert into run (id, organization_id, project_id, instance_id, visitor_id, max_charge, offering_id, conversation_id, input, artifact, config, tool_grants,
      requested_by, deadline_at)
    values (p_run, p_organization, p_project, p_instance, k.visitor_id, k.max_charge, p_offering, v_conversation, p_input, p_artifact, p_config,
      p_tool_grants, p_actor, now() + make_interval(secs => p_seconds));
  perform ensure_partition_of(p_run);
  perform pg_notify('runs_queue', 'queue');
  update run_key set state = 'STARTED' where organization_id = p_organization and key = p_key;
  return jsonb_build_object('outcome', 'QUEUED', 'conversationId', v_conversation, 'requestedAt', now());
end $$;
