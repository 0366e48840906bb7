-- What the tool gateway decided, and how allowed calls ended: an append-only chain in which each record holds the hash of the one before.

-- `body` is the very text that is hashed; the columns before it repeat what records are looked up by. Their order is `seq`; ids are UUIDv7, so an
-- organization's records sort by time under their ids.
create table audit_record (
  seq bigint primary key check (seq > 0),
  id uuid not null,
  kind text not null check (kind in ('DECISION', 'COMPLETION')),
  organization_id uuid not null,
  run_id uuid,
  -- Null for a name that no tool can have: the body has it as it was sent.
  tool_id text,
  decision text,
  body text not null,
  prev_seq bigint generated always as (nullif(seq - 1, 0)) stored,
  prev_hash text not null,
  hash text not null,
  unique (id, kind),
  unique (seq, hash),
  -- No gap and no fork: one record per number, and its predecessor is the record with the number before and the hash it names.
  foreign key (prev_seq, prev_hash) references audit_record (seq, hash),
  check (seq > 1 or prev_hash = repeat('0', 64)),
  check (hash = encode(sha256(convert_to(prev_hash || seq || body, 'UTF8')), 'hex'))
);
create index audit_record_of_organization on audit_record (organization_id, id) where kind = 'DECISION';
create index audit_record_of_run on audit_record (run_id, id) where kind = 'DECISION';

-- The newest record: what appenders of all processes wait for one after the other, and what a chain whose end was cut off differs from.
create table audit_head (
  one boolean primary key default true check (one),
  seq bigint,
  hash text,
  foreign key (seq, hash) references audit_record (seq, hash)
);
insert into audit_head default values;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is append-only';
end $$;
-- The name keeps UPDATE and DELETE from the application role too (kernel/src/db/migrate.ts).
create trigger append_only before update or delete or truncate on audit_record for each statement execute function refuse_audit_change();
create trigger append_only before delete or truncate on audit_head for each statement execute function refuse_audit_change();

-- Reading is all that the application role may do by itself: there is no policy for INSERT, so that records come by append_audit alone.
alter table audit_record enable row level security;
create policy tenant on audit_record for select using (scope_allows(organization_id));
alter table audit_head enable row level security;
create policy everybody on audit_head for select using (true);

-- Appends records ({id, kind, organizationId, runId, toolId, decision, body}) in their order, in one round trip and one commit; answers the new head.
create function append_audit(p_records jsonb) returns bigint language plpgsql security definer set search_path from current as $$
declare
  v_head audit_head;
  v_record record;
begin
  select * into strict v_head from audit_head for update;
  v_head.seq := coalesce(v_head.seq, 0);
  v_head.hash := coalesce(v_head.hash, repeat('0', 64));
  for v_record in select r.* from rows from (jsonb_to_recordset(p_records)
      as (id uuid, kind text, "organizationId" uuid, "runId" uuid, "toolId" text, decision text, body text)) with ordinality r order by ordinality loop
    insert into audit_record (seq, id, kind, organization_id, run_id, tool_id, decision, body, prev_hash, hash)
    values (v_head.seq + 1, v_record.id, v_record.kind, v_record."organizationId", v_record."runId", v_record."toolId", v_record.decision, v_record.body,
      v_head.hash, encode(sha256(convert_to(v_head.hash || (v_head.seq + 1) || v_record.body, 'UTF8')), 'hex'))
    returning seq, hash into v_head.seq, v_head.hash;
  end loop;
  update audit_head set seq = nullif(v_head.seq, 0), hash = case when v_head.seq > 0 then v_head.hash end;
  return v_head.seq;
end $$;
