-- Knowledge bases and their documents. What is searched in is the engine's; the files lie in object storage.

create table knowledge_base (
  id uuid primary key,
  organization_id uuid not null,
  project_id uuid not null,
  name text not null,
  -- Of its documents; null: found out for each.
  language text check (language in ('english', 'german', 'french', 'spanish', 'simple')),
  state text not null default 'PROVISIONING' check (state in ('PROVISIONING', 'READY', 'DELETING', 'FAILED')),
  idempotency_key text not null,
  request_hash text not null,
  -- Times that it was tried to bring the state on, and not before when it is tried again.
  tries int not null default 0,
  due_at timestamptz not null default now(),
  -- Counts the changes of its documents.
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  unique (organization_id, idempotency_key)
);
create index knowledge_base_of_project on knowledge_base (project_id, id);
create index knowledge_base_to_work_on on knowledge_base (due_at) where state in ('PROVISIONING', 'DELETING');

create table document (
  id uuid primary key,
  organization_id uuid not null,
  project_id uuid not null,
  knowledge_base_id uuid not null references knowledge_base,
  name text not null,
  content_type text not null,
  size_bytes bigint not null check (size_bytes > 0),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  state text not null default 'AWAITING_UPLOAD' check (state in ('AWAITING_UPLOAD', 'UPLOADED', 'INGESTING', 'READY', 'FAILED')),
  -- Bytes can be put under its key until then, and what was begun in time for as long again.
  upload_until timestamptz not null,
  -- Counts the times that somebody asked for it to be ingested; progress never goes back within one.
  attempt int not null default 0,
  progress double precision not null default 0 check (progress between 0 and 1),
  chunk_count int not null default 0,
  failure text,
  error text,
  -- The one worker that ingests it: every write of it carries the lease, and a worker that lost it writes nothing. Workers of this attempt so far.
  lease_id uuid,
  lease_until timestamptz,
  tries int not null default 0,
  -- It is gone for everybody but the sweep, which removes what it left in the engine and in storage, not before purge_at.
  deleted_at timestamptz,
  purge_at timestamptz,
  -- The revision of its base that it changed last with.
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  check ((state = 'FAILED') = (failure is not null and error is not null))
) with (fillfactor = 70);
create index document_of_base on document (knowledge_base_id, id) where deleted_at is null;
create index document_changed on document (knowledge_base_id, revision) where deleted_at is null;
create index document_of_project on document (project_id) include (size_bytes) where deleted_at is null;
create index document_to_ingest on document (id) where state in ('UPLOADED', 'INGESTING') and deleted_at is null;
create index document_to_purge on document (purge_at) where deleted_at is not null;
create index document_unfinished on document (upload_until) where state = 'AWAITING_UPLOAD' and deleted_at is null;
-- The same file announced twice is one upload.
create unique index document_awaited on document (knowledge_base_id, name, content_type, sha256) where state = 'AWAITING_UPLOAD' and deleted_at is null;

alter table knowledge_base enable row level security;
alter table document enable row level security;
create policy tenant on knowledge_base using (scope_allows(organization_id));
create policy tenant on document using (scope_allows(organization_id));

-- What followers of a base and those who work on documents wait for: the payload is an id, never the data. Within a base changes are numbered in the
-- order in which they are committed, since the base's row is held until then.
create function note_document_change() returns trigger language plpgsql as $$
begin
  update knowledge_base set revision = revision + 1 where id = new.knowledge_base_id returning revision into new.revision;
  perform pg_notify('rag_document', new.knowledge_base_id::text);
  if new.state = 'UPLOADED' then perform pg_notify('rag_document', 'ingest'); end if;
  if new.deleted_at is not null then perform pg_notify('rag_document', 'sweep'); end if;
  return new;
end $$;
create trigger document_made before insert on document for each row execute function note_document_change();
create trigger document_changed before update on document for each row
  when ((old.state, old.progress, old.chunk_count, old.attempt, old.deleted_at) is distinct from (new.state, new.progress, new.chunk_count, new.attempt, new.deleted_at))
  execute function note_document_change();
