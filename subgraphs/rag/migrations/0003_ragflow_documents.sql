-- What the engine on Ragflow remembers: which dataset is a knowledge base, and which of its documents is searched. Ragflow knows no tenants; these rows do.

create table ragflow_base (
  knowledge_base_id uuid primary key,
  organization_id uuid not null,
  project_id uuid not null,
  -- Ragflow's id. Null: not made yet, or nobody came back from making it.
  dataset_id text
);

-- Attempts that are not whole yet have no row: at Ragflow their names tell whose they are.
create table ragflow_document (
  document_id uuid primary key,
  knowledge_base_id uuid not null references ragflow_base on delete cascade,
  organization_id uuid not null,
  name text not null,
  -- Ragflow gives positions to every format; only of some they are pages.
  has_pages boolean not null,
  ragflow_id text not null
);
create index ragflow_document_of_base on ragflow_document (knowledge_base_id);

alter table ragflow_base enable row level security;
alter table ragflow_document enable row level security;
create policy tenant on ragflow_base using (scope_allows(organization_id));
create policy tenant on ragflow_document using (scope_allows(organization_id));
