-- Orders that the provisioner cannot bring to an end, as it tells; operators see them.
create table parked_order (
  saleor_api_url text not null,
  saleor_order_id text not null,
  order_number text,
  reason text not null,
  parked_at timestamptz not null default now(),
  primary key (saleor_api_url, saleor_order_id)
);
