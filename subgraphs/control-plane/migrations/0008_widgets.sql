-- Widgets of instances: the public key that a page names, whose visitors come back by a handle or by their site's word.

-- wk_ and 22 digits of base 62 (131 bits, of 244 random ones). It names an instance and proves nothing.
create function new_widget_key() returns text language sql volatile as $$
  select 'wk_' || string_agg(substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', get_byte(random.bytes, place) % 62 + 1, 1), '')
  from (select sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) as bytes) random, generate_series(0, 21) place
$$;
alter table instance
  add column widget_key text not null unique default new_widget_key(),
  -- Public JWKs of the owner's servers, which say who a visitor is.
  add column widget_identity_keys jsonb not null default '[]';

-- Visitors whom a site vouched for: the same on every device.
create table widget_visitor (
  instance_id uuid not null references instance,
  -- Of the site's own id of the person, which is not kept.
  subject_sha256 text not null,
  organization_id uuid not null references organization,
  visitor_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (instance_id, subject_sha256)
);

create table widget_session (
  id uuid primary key,
  organization_id uuid not null references organization,
  instance_id uuid not null references instance,
  visitor_id uuid not null,
  -- Whether the visitor is one of widget_visitor.
  identified boolean not null,
  origin text not null,
  -- A handle has a part that stays and one that is replaced; neither is kept itself.
  family_sha256 text not null unique,
  handle_sha256 text not null,
  -- The handle before, when it was replaced, and what makes the next one out of it: asked with again, it answers the same.
  former_sha256 text,
  replaced_at timestamptz,
  rotation_key bytea,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now()
);
create index widget_session_of_instance on widget_session (instance_id, used_at desc);
create index widget_session_unused on widget_session (used_at);

alter table widget_visitor enable row level security;
alter table widget_session enable row level security;
create policy tenant on widget_visitor using (scope_allows(organization_id));
create policy tenant on widget_session using (scope_allows(organization_id));
