-- What the identity provider must remember (sessions, grants, codes, refresh tokens), so that a restart signs nobody out.
create table oidc_model (
  model text not null,
  id text not null,
  payload jsonb not null,
  uid text,
  grant_id text,
  expires_at timestamptz,
  primary key (model, id)
);
create index oidc_model_uid on oidc_model (uid) where uid is not null;
create index oidc_model_grant on oidc_model (grant_id) where grant_id is not null;
