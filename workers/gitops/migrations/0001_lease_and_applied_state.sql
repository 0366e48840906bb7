-- Who may write to Git, what was taken over from it, and what is still to be told.

create table writer_lease (
  branch text primary key,
  holder text not null,
  fence bigint not null,
  until timestamptz not null
);

-- Desired states that are committed but not yet acknowledged by the control plane.
create table committed (
  outbox_id uuid primary key,
  instance_id uuid not null,
  generation int not null,
  commit text not null
);

-- Folders of terminated instances, to be removed by the next commit.
create table removal (
  folder text primary key,
  instance_id uuid not null,
  at timestamptz not null default now()
);

create table applier_position (
  branch text primary key,
  commit text not null
);

create sequence resource_version;
create table applied_resource (
  kind text not null,
  instance_id uuid not null,
  name text not null,
  organization_id uuid not null,
  folder text not null,
  spec jsonb not null,
  generation int not null,
  commit text not null,
  conditions jsonb not null default '[]',
  resource_version bigint not null default nextval('resource_version'),
  deleted boolean not null default false,
  primary key (kind, instance_id)
);
create index applied_resource_since on applied_resource (resource_version);

-- What the control plane was told last of each instance; a difference is told again until it is acknowledged.
create table report (
  instance_id uuid primary key,
  told_version bigint not null
);
