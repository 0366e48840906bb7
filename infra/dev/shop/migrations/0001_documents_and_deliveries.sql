-- One row per object of the shop: jsonb, because its shape is Saleor's and read whole. `n` is the integer key (or an order's number).
create table document (
  kind       text        not null,
  pk         text        not null,
  n          bigint      not null,
  updated_at timestamptz not null,
  data       jsonb       not null,
  primary key (kind, pk)
);
create index document_by_number on document (kind, n, pk);
create index document_by_update on document (kind, updated_at, pk);
create unique index user_email on document ((data ->> 'email')) where kind = 'User';
create unique index variant_sku on document ((data ->> 'sku')) where kind = 'ProductVariant';
create index variant_product on document ((data ->> 'product')) where kind = 'ProductVariant';
create index order_user on document ((data ->> 'user')) where kind = 'Order';
create index order_email on document ((data ->> 'userEmail')) where kind = 'Order';
create unique index order_checkout on document ((data ->> 'checkout')) where kind = 'Order';
create index transaction_order on document ((data ->> 'order')) where kind = 'TransactionItem';
create index transaction_checkout on document ((data ->> 'checkout')) where kind = 'TransactionItem';

-- Integer keys, counted per kind as Saleor's are.
create table counter (
  kind text   primary key,
  last bigint not null
);

-- Event deliveries, written in the transaction of the change they tell about; a successful one is deleted, as in Saleor.
create table delivery (
  id              bigint      generated always as identity primary key,
  webhook         text        not null,
  event_type      text        not null,
  payload         text        not null,
  status          text        not null default 'PENDING' check (status in ('PENDING', 'FAILED')),
  attempts        jsonb       not null default '[]',
  created_at      timestamptz not null,
  next_attempt_at timestamptz not null,
  claimed_by      text
);
create index delivery_due on delivery (next_attempt_at) where status = 'PENDING';
create index delivery_of_webhook on delivery (webhook, id);
