-- People who can sign in. `email` is kept in lower case; `subject` is the `sub` of their tokens and never changes.
create table account (
  subject        uuid    primary key,
  email          text    not null unique check (email = lower(email)),
  password_hash  text    not null,
  email_verified boolean not null,
  given_name     text    not null,
  family_name    text    not null,
  roles          text[]  not null
);

-- What the provider must remember between requests: sessions, interactions, grants, codes, refresh tokens. JWT access tokens are not kept.
create table artifact (
  model      text        not null,
  id         text        not null,
  payload    jsonb       not null,
  grant_id   text,
  uid        text,
  expires_at timestamptz not null,
  primary key (model, id)
);
create index artifact_grant on artifact (grant_id) where grant_id is not null;
create index artifact_uid on artifact (model, uid) where uid is not null;
create index artifact_expiry on artifact (expires_at);
