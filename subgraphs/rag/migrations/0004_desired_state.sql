-- What a base should be is a row, Git its projection: the generation counts what was desired of it, and there is one in line for Git per generation.
alter table knowledge_base
  -- Of the path in Git; the control plane gives them once.
  add column organization_slug text not null,
  add column project_slug text not null,
  -- Which engine keeps it, and with what: a base stays with its engine.
  add column engine jsonb not null,
  -- What its project may hold, when somebody last asked.
  add column max_documents int not null,
  add column max_bytes bigint not null,
  add column desired_phase text not null default 'Active' check (desired_phase in ('Active', 'Deleted')),
  add column desired_generation int not null default 1,
  -- The last generation of which all that is applied was seen to be ready, and when.
  add column observed_generation int not null default 0,
  add column observed_at timestamptz,
  add column conditions jsonb not null default '[]',
  -- Nothing of it is in Git or applied any longer: what it owns may go.
  add column removed_at timestamptz,
  add check ((state = 'DELETING') = (desired_phase = 'Deleted'));
drop index knowledge_base_to_work_on;
create index knowledge_base_to_purge on knowledge_base (due_at) where removed_at is not null;

create table gitops_outbox (
  id uuid primary key,
  knowledge_base_id uuid not null references knowledge_base on delete cascade,
  organization_id uuid not null,
  generation int not null,
  actor text not null,
  claimed_by text,
  claimed_until timestamptz,
  unique (knowledge_base_id, generation)
);
alter table gitops_outbox enable row level security;
create policy tenant on gitops_outbox using (scope_allows(organization_id));

-- Whoever writes to Git waits for it.
create function note_desired() returns trigger language plpgsql as $$
begin
  perform pg_notify('rag_document', 'desired');
  return null;
end $$;
create trigger desired after insert on gitops_outbox for each statement execute function note_desired();
