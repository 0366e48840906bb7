-- What a run may do at the tool gateway is kept as it was when the run was queued, for the token that each of its owners gets; the token itself is
-- never stored. A run from before has no project and gets no token.
alter table run add column project_id uuid;
alter table run add column tool_grants jsonb not null default '{"tools": [], "bindings": []}';

-- As in 0002, with the project and the tools. The former one is dropped: a process of the version before cannot start runs on this schema, which
-- was never released.
drop function queue_run(uuid, text, uuid, uuid, uuid, uuid, uuid, text, text, jsonb, jsonb, text, int, int);
create function queue_run(p_organization uuid, p_key text, p_run uuid, p_instance uuid, p_offering uuid, p_conversation uuid, p_new_conversation uuid,
  p_title text, p_input text, p_artifact jsonb, p_config jsonb, p_actor text, p_seconds int, p_max_active int, p_project uuid, p_tool_grants jsonb)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
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
  insert into run (id, organization_id, project_id, instance_id, offering_id, conversation_id, input, artifact, config, tool_grants, requested_by, deadline_at)
    values (p_run, p_organization, p_project, p_instance, p_offering, v_conversation, p_input, p_artifact, p_config, p_tool_grants, p_actor,
      now() + make_interval(secs => p_seconds));
  perform ensure_partition_of(p_run);
  perform pg_notify('runs_queue', 'queue');
  update run_key set state = 'STARTED' where organization_id = p_organization and key = p_key;
  return jsonb_build_object('outcome', 'QUEUED', 'conversationId', v_conversation, 'requestedAt', now());
end $$;
