-- `claims` only grows and is the fence: `attempts` starts again with every change, so two workers could hold the same number.
alter table order_state add column claims int not null default 0;

-- What operators are to see of the order, and what the control plane was told that they see.
alter table order_state add column visible_reason text generated always as (
  case when state = 'PARKED' or (state = 'DUE' and attempts >= 5) then reason end) stored;
alter table order_state add column told_reason text;
create index order_state_untold on order_state (changed_at) where visible_reason is distinct from told_reason;

-- A parked order is tried again too, slowly: what it waits for may have been mended.
drop index order_state_due;
create index order_state_open on order_state (next_attempt_at) where state in ('DUE', 'PARKED');

create index inbox_received on inbox (received_at);

-- A shop is read from its registration on.
insert into poll_mark (saleor_api_url, updated_at) select saleor_api_url, registered_at from saleor_app on conflict do nothing;
