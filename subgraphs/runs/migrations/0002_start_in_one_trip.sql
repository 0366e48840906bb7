-- The two database steps of a start, each one round trip and one commit: the instance's lock is held for the time of a commit, however far away the
-- application is. They carry their own scope and take the organization as an argument that every statement checks.

create function active_runs(p_instance uuid) returns int language sql stable as $$
  select count(*)::int from run where instance_id = p_instance and state in ('QUEUED', 'RUNNING', 'CANCELLING')
$$;

-- The key's row, made with this run id or as it was before, and what decides whether the run may start. Touching a key keeps the sweep away
-- while its start is under way.
create function claim_start(p_organization uuid, p_key text, p_body_hash text, p_run uuid, p_instance uuid, p_conversation uuid) returns jsonb
language plpgsql set agentstore.scope = '*' as $$
declare
  k run_key;
begin
  insert into run_key (organization_id, key, body_hash, run_id) values (p_organization, p_key, p_body_hash, p_run)
    on conflict (organization_id, key) do update
      set touched_at = case when run_key.state = 'STARTING' then now() else run_key.touched_at end
    returning * into k;
  return jsonb_build_object('runId', k.run_id, 'bodyHash', k.body_hash, 'state', k.state, 'active', active_runs(p_instance),
    'conversationIsKnown', exists (
      select from conversation where id = p_conversation and organization_id = p_organization and instance_id = p_instance));
end $$;

-- Queues a run under its key, opens its conversation when it has none, makes the day's partition of the event log if the task has not yet, and
-- wakes a runner at commit. One start at a time counts an instance's runs and adds one. Answers QUEUED; FULL (too many are active, the key is
-- given up); STARTED (it was queued before); GONE (the key was taken back).
create function queue_run(p_organization uuid, p_key text, p_run uuid, p_instance uuid, p_offering uuid, p_conversation uuid, p_new_conversation uuid,
  p_title text, p_input text, p_artifact jsonb, p_config jsonb, p_actor text, p_seconds int, p_max_active int) returns jsonb
language plpgsql set agentstore.scope = '*' as $$
declare
  k run_key;
  v_conversation uuid := coalesce(p_conversation, p_new_conversation);
begin
  select * into k from run_key where organization_id = p_organization and key = p_key for update;
  if not found or k.run_id <> p_run or k.state = 'ABANDONED' then return jsonb_build_object('outcome', 'GONE'); end if;
  if k.state = 'STARTED' then return jsonb_build_object('outcome', 'STARTED'); end if;
  perform pg_advisory_xact_lock(hashtextextended('run:' || p_instance::text, 0));
  if active_runs(p_instance) >= p_max_active then
    update run_key set state = 'ABANDONED' where organization_id = p_organization and key = p_key;
    return jsonb_build_object('outcome', 'FULL');
  end if;
  if p_conversation is null then
    insert into conversation (id, organization_id, instance_id, title) values (p_new_conversation, p_organization, p_instance, p_title);
  end if;
  insert into run (id, organization_id, instance_id, offering_id, conversation_id, input, artifact, config, requested_by, deadline_at)
    values (p_run, p_organization, p_instance, p_offering, v_conversation, p_input, p_artifact, p_config, p_actor, now() + make_interval(secs => p_seconds));
  perform ensure_partition_of(p_run);
  perform pg_notify('runs_queue', 'queue');
  update run_key set state = 'STARTED' where organization_id = p_organization and key = p_key;
  return jsonb_build_object('outcome', 'QUEUED', 'conversationId', v_conversation, 'requestedAt', now());
end $$;
