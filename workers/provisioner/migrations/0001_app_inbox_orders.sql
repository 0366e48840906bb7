-- The Saleor app's credentials, what the shop told it, and how far each order is.

create table saleor_app (
  saleor_api_url text primary key,
  app_id text not null,
  -- AES-256-GCM: nonce, tag and ciphertext in base64url.
  token text not null,
  jwks text,
  registered_at timestamptz not null default now()
);

-- Saleor's deliveries carry no id; retries of one delivery have the same bytes.
create table inbox (
  sha256 text primary key,
  saleor_api_url text not null,
  event text not null,
  saleor_order_id text not null,
  received_at timestamptz not null default now()
);

create table order_state (
  saleor_api_url text not null,
  saleor_order_id text not null,
  order_number text,
  -- DUE is to be looked at; WAITING is not paid (yet); GRANTED and REVOKED are done; PARKED needs an operator.
  state text not null default 'DUE' check (state in ('DUE', 'WAITING', 'GRANTED', 'REVOKED', 'PARKED')),
  reason text,
  shop_updated_at timestamptz,
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (saleor_api_url, saleor_order_id)
);
create index order_state_due on order_state (next_attempt_at) where state = 'DUE';

create table poll_mark (
  saleor_api_url text primary key,
  updated_at timestamptz not null
);
