-- The commands on money, each one round trip and one commit. They carry their own scope (row-level security would need a transaction
-- around them) and take the organization as an argument that every statement checks. Answers are JSON: {"ok": …} or {"refused": CODE, …}.
-- Locks are always taken in the order reservation → wallet → grants.

create function refusal(code text, facts jsonb default '{}') returns jsonb language sql immutable as $$
  select jsonb_build_object('refused', code) || facts
$$;

-- A UUIDv7 for entries that no caller named (PostgreSQL has its own only from 18 on): a random UUID with the time put in and version 7 set.
create function uuidv7_now() returns uuid language sql volatile as $$
  select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
    substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Burns grants for an entry: priority (trial and promo first), earliest expiry, oldest. Answers how much of it was paid for with money.
create function draw_grants(p_organization uuid, p_entry uuid, p_amount bigint) returns bigint language plpgsql as $$
declare
  v_left bigint := p_amount;
  v_paid bigint := 0;
  v_take bigint;
  g grants;
begin
  -- clock_timestamp, not now(): a grant of a transaction that began after this one and committed while it waited for the wallet is in the balance.
  for g in select * from grants where organization_id = p_organization and remaining > 0 and effective_at <= clock_timestamp()
           order by (expires_at is not null and expires_at <= now()), priority, expires_at nulls last, effective_at, id for update loop
    exit when v_left = 0;
    v_take := least(g.remaining, v_left);
    update grants set remaining = remaining - v_take where id = g.id;
    insert into grant_draw (entry_id, grant_id, organization_id, amount) values (p_entry, g.id, p_organization, v_take);
    if g.kind in ('PAID', 'PLAN') then v_paid := v_paid + v_take; end if;
    v_left := v_left - v_take;
  end loop;
  if v_left > 0 then raise exception 'grants of % do not cover its balance: % missing', p_organization, v_left; end if;
  return v_paid;
end $$;

create function tell_wallet(p_organization uuid) returns void language sql as $$
  select pg_notify('billing_wallet', p_organization::text)
$$;

-- Usage priced by a rate card: one row per dimension, each the difference of running sums rounded up, so that the lines add up to the total
-- that is rounded up once.
create function rate_usage(p_offering uuid, p_version int, p_usage jsonb)
returns table (dimension text, quantity bigint, unit_price bigint, amount bigint) language sql stable as $$
  with priced as (
    select u.dimension, sum(u.quantity)::bigint as quantity, coalesce((c.prices ->> u.dimension)::bigint, 0) as unit_price
    from jsonb_to_recordset(p_usage) as u (dimension text, quantity bigint)
    join rate_card c on c.offering_id = p_offering and c.version = p_version
    group by u.dimension, c.prices
  ), running as (
    select *, sum(quantity::numeric * unit_price) over (order by dimension) as upto, quantity::numeric * unit_price as own from priced
  )
  select dimension, quantity, unit_price, (ceil(upto / 1000000) - ceil((upto - own) / 1000000))::bigint from running
$$;

-- Ends grants whose time is over, as far as no open reservation counts on them.
create function expire_grants(p_organization uuid) returns int language plpgsql as $$
declare
  w wallet;
  g grants;
  v_take bigint;
  v_entry uuid;
  v_done int := 0;
begin
  select * into w from wallet where organization_id = p_organization for update;
  if not found then return 0; end if;
  for g in select * from grants where organization_id = p_organization and remaining > 0 and expires_at <= now() order by expires_at, id for update loop
    v_take := least(g.remaining, w.balance - w.reserved);
    exit when v_take <= 0;
    v_entry := uuidv7_now();
    update grants set remaining = remaining - v_take where id = g.id;
    update wallet set balance = balance - v_take, seq = seq + 1 where organization_id = p_organization returning * into w;
    insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, actor, reason)
      values (v_entry, p_organization, w.seq, 'EXPIRY', -v_take, w.balance, 'system:expiry', 'grant ' || g.id);
    insert into transfer values (v_entry, 1, p_organization, 'wallet:' || p_organization, 'platform:breakage', v_take, 'GRANT_EXPIRED');
    insert into grant_draw values (v_entry, g.id, p_organization, v_take);
    v_done := v_done + 1;
  end loop;
  update wallet set next_expiry = (select min(expires_at) from grants where organization_id = p_organization and remaining > 0 and expires_at > now())
    where organization_id = p_organization;
  if v_done > 0 then perform tell_wallet(p_organization); end if;
  return v_done;
end $$;

create function reservation_answer(r reservation, p_replayed boolean) returns jsonb language sql stable as $$
  select jsonb_build_object('ok', true, 'reservationId', r.id, 'amount', r.amount::text, 'priceVersion', r.rate_version, 'status', r.status,
    'expiresInMs', greatest(0, (extract(epoch from r.expires_at - now()) * 1000)::int), 'replayed', p_replayed,
    'available', (select (balance - reserved)::text from wallet where organization_id = r.organization_id))
$$;

-- Reserves credits for a run. The run's id is the idempotency key: the same command again gets the first answer, another body a conflict.
-- A denial leaves nothing behind, so the same run may be authorised after a top-up.
create function authorize_run(p_organization uuid, p_run uuid, p_instance uuid, p_offering uuid, p_amount bigint, p_max_charge bigint, p_ttl_seconds int, p_body_hash text)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
  w wallet;
  card rate_card;
  v_amount bigint;
begin
  if abs(extract(epoch from time_of(p_run) - now())) > 86400 then return refusal('RUN_ID_OUT_OF_TIME'); end if;
  select * into card from rate_card where offering_id = p_offering order by version desc limit 1;
  if not found then return refusal('RATE_CARD_NOT_FOUND'); end if;
  v_amount := least(coalesce(p_amount, card.reserve), coalesce(p_max_charge, 9223372036854775807));
  insert into reservation (id, organization_id, instance_id, offering_id, amount, max_charge, rate_version, body_hash, expires_at)
    values (p_run, p_organization, p_instance, p_offering, v_amount, p_max_charge, card.version, p_body_hash, now() + make_interval(secs => p_ttl_seconds))
    on conflict do nothing returning * into r;
  if not found then
    select * into r from reservation where id = p_run;
    if r.organization_id <> p_organization or r.body_hash <> p_body_hash then return refusal('IDEMPOTENCY_CONFLICT'); end if;
    return reservation_answer(r, true);
  end if;
  -- The limit is a predicate on the row being updated: PostgreSQL rechecks it on the newest version after waiting for its lock.
  update wallet set reserved = reserved + v_amount
    where organization_id = p_organization and state = 'OPEN' and balance - reserved >= v_amount and (next_expiry is null or next_expiry > now());
  if not found then
    select * into w from wallet where organization_id = p_organization;
    if w.organization_id is not null and w.state = 'OPEN' then
      -- A sweep that lags must never refuse: reclaim what is due in this wallet, then ask once more.
      perform expire_reservation(id) from reservation where organization_id = p_organization and status = 'OPEN' and expires_at <= now();
      perform expire_grants(p_organization);
      update wallet set reserved = reserved + v_amount where organization_id = p_organization and state = 'OPEN' and balance - reserved >= v_amount;
    end if;
    if not found or w.organization_id is null or w.state <> 'OPEN' then
      delete from reservation where id = p_run;
      select * into w from wallet where organization_id = p_organization;
      if w.organization_id is null then return refusal('WALLET_NOT_FOUND'); end if;
      if w.state = 'FROZEN' then return refusal('WALLET_FROZEN'); end if;
      return refusal('INSUFFICIENT_CREDITS', jsonb_build_object('required', v_amount::text, 'available', (w.balance - w.reserved)::text,
        'missing', (v_amount - (w.balance - w.reserved))::text));
    end if;
  end if;
  perform tell_wallet(p_organization);
  return reservation_answer(r, false);
end $$;

create function settlement_answer(p_run uuid, p_replayed boolean) returns jsonb language sql stable as $$
  select jsonb_build_object('ok', true, 'ledgerEntryId', r.entry_id, 'charge', r.charged::text, 'balanceAfter', e.balance_after::text, 'replayed', p_replayed,
    'usage', coalesce((select jsonb_agg(jsonb_build_object('dimension', dimension, 'quantity', quantity::text, 'unitPrice', unit_price::text, 'amount', amount::text) order by dimension)
      from usage_line where entry_id = r.entry_id), '[]'),
    'transfers', coalesce((select jsonb_agg(jsonb_build_object('debitAccount', debit_account, 'creditAccount', credit_account, 'amount', amount::text, 'code', code) order by leg)
      from transfer where entry_id = r.entry_id), '[]'))
  from reservation r left join ledger_entry e on e.id = r.entry_id where r.id = p_run
$$;

-- Charges a locked reservation for usage. `p_final` false is the sweep's: what comes later books only the difference.
create function charge_reservation(r reservation, p_usage jsonb, p_final boolean, p_actor text) returns void language plpgsql as $$
declare
  w wallet;
  v_charge bigint;
  v_delta bigint;
  v_from_wallet bigint;
  v_paid bigint;
  v_held bigint := case when r.status = 'OPEN' then r.amount else 0 end;
  v_entry uuid := case when r.entry_id is null then r.id else uuidv7_now() end;
  v_leg int := 0;
begin
  select coalesce(sum(amount), 0)::bigint into v_charge from rate_usage(r.offering_id, r.rate_version, p_usage);
  v_charge := least(v_charge, coalesce(r.max_charge, v_charge));
  v_delta := v_charge - r.charged;
  if r.entry_id is not null and v_delta <= 0 then
    update reservation set status = case when p_final then 'SETTLED' else status end where id = r.id;
    return;
  end if;
  select * into w from wallet where organization_id = r.organization_id for update;
  v_from_wallet := least(v_delta, w.balance - (w.reserved - v_held));
  update wallet set balance = balance - v_from_wallet, reserved = reserved - v_held, debt = debt + (v_delta - v_from_wallet), seq = seq + 1
    where organization_id = r.organization_id returning * into w;
  insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, run_id, actor)
    values (v_entry, r.organization_id, w.seq, 'SETTLEMENT', -v_from_wallet, w.balance, r.id, p_actor);
  v_paid := draw_grants(r.organization_id, v_entry, v_from_wallet);
  if v_paid > 0 then
    v_leg := v_leg + 1;
    insert into transfer values (v_entry, v_leg, r.organization_id, 'wallet:' || r.organization_id, 'platform:revenue', v_paid, 'USAGE');
  end if;
  if v_from_wallet > v_paid then
    -- Trial and promotional credits were never revenue: they go back to where they came from.
    v_leg := v_leg + 1;
    insert into transfer values (v_entry, v_leg, r.organization_id, 'wallet:' || r.organization_id, 'platform:promo', v_from_wallet - v_paid, 'PROMO_USAGE');
  end if;
  if v_delta > v_from_wallet then
    v_leg := v_leg + 1;
    insert into transfer values (v_entry, v_leg, r.organization_id, 'receivable:' || r.organization_id, 'platform:revenue', v_delta - v_from_wallet, 'SHORTFALL');
  end if;
  if r.entry_id is null then
    -- A charge capped by the run's own maximum keeps its lines adding up: the last ones are cut.
    insert into usage_line (entry_id, dimension, organization_id, quantity, unit_price, amount)
      select v_entry, dimension, r.organization_id, quantity, unit_price, least(upto, v_charge) - least(upto - amount, v_charge)
      from (select *, sum(amount) over (order by dimension) as upto from rate_usage(r.offering_id, r.rate_version, p_usage)) lines;
  else
    insert into usage_line values (v_entry, 'late_difference', r.organization_id, 1, v_delta * 1000000, v_delta);
  end if;
  update reservation set status = case when p_final then 'SETTLED' else 'EXPIRED' end, charged = v_charge, entry_id = coalesce(entry_id, v_entry) where id = r.id;
  perform tell_wallet(r.organization_id);
end $$;

-- Settles a run once, at what it used. A reservation that was swept in the meantime is still settled: the provider was already paid.
create function settle_run(p_organization uuid, p_run uuid, p_usage jsonb, p_actor text) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
begin
  select * into r from reservation where id = p_run and organization_id = p_organization for update;
  if not found then return refusal('RESERVATION_NOT_FOUND'); end if;
  if r.status = 'SETTLED' then return settlement_answer(p_run, true); end if;
  if r.status = 'RELEASED' then return refusal('RESERVATION_RELEASED'); end if;
  perform charge_reservation(r, p_usage, true, p_actor);
  return settlement_answer(p_run, false);
end $$;

-- Gives a reservation back unused.
create function release_run(p_organization uuid, p_run uuid) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
begin
  select * into r from reservation where id = p_run and organization_id = p_organization for update;
  if not found then return refusal('RESERVATION_NOT_FOUND'); end if;
  if r.status = 'OPEN' then
    update reservation set status = 'RELEASED' where id = p_run;
    update wallet set reserved = reserved - r.amount where organization_id = p_organization;
    perform tell_wallet(p_organization);
    return jsonb_build_object('ok', true, 'state', 'RELEASED', 'charge', '0', 'replayed', false);
  end if;
  return jsonb_build_object('ok', true, 'state', r.status, 'charge', r.charged::text, 'replayed', true);
end $$;

-- Keeps a running run's reservation alive, raises it when asked and affordable, and notes the usage so far.
create function extend_run(p_organization uuid, p_run uuid, p_amount bigint, p_usage jsonb, p_seq int, p_ttl_seconds int) returns jsonb
language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
  w wallet;
begin
  select * into r from reservation where id = p_run and organization_id = p_organization for update;
  if not found then return refusal('RESERVATION_NOT_FOUND'); end if;
  if r.status <> 'OPEN' then return refusal('RESERVATION_NOT_OPEN', jsonb_build_object('state', r.status)); end if;
  if p_amount > 0 then
    update wallet set reserved = reserved + p_amount where organization_id = p_organization and state = 'OPEN' and balance - reserved >= p_amount;
    if not found then
      select * into w from wallet where organization_id = p_organization;
      return refusal('INSUFFICIENT_CREDITS', jsonb_build_object('required', p_amount::text, 'available', (w.balance - w.reserved)::text,
        'missing', (p_amount - (w.balance - w.reserved))::text));
    end if;
  end if;
  update reservation set amount = amount + p_amount, expires_at = greatest(expires_at, now() + make_interval(secs => p_ttl_seconds)),
      checkpoint = case when p_seq > checkpoint_seq then p_usage else checkpoint end, checkpoint_seq = greatest(checkpoint_seq, p_seq)
    where id = p_run returning * into r;
  return reservation_answer(r, false);
end $$;

-- Ends one due reservation: at its checkpoint when usage was reported, else unused. False when somebody else was faster.
create function expire_reservation(p_run uuid) returns boolean language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
begin
  select * into r from reservation where id = p_run and status = 'OPEN' and expires_at <= now() for update skip locked;
  if not found then return false; end if;
  if r.checkpoint is not null then
    perform charge_reservation(r, r.checkpoint, false, 'system:expiry');
  else
    update reservation set status = 'EXPIRED' where id = r.id;
    update wallet set reserved = reserved - r.amount where organization_id = r.organization_id;
    perform tell_wallet(r.organization_id);
  end if;
  return true;
end $$;

-- One batch of the sweep; answers how many it ended.
create function sweep(p_limit int) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_reservations int := 0;
  v_grants int := 0;
  v_id uuid;
begin
  for v_id in select id from reservation where status = 'OPEN' and expires_at <= now() order by organization_id, id limit p_limit loop
    if expire_reservation(v_id) then v_reservations := v_reservations + 1; end if;
  end loop;
  for v_id in select distinct organization_id from grants where remaining > 0 and expires_at <= now() order by 1 limit p_limit loop
    v_grants := v_grants + expire_grants(v_id);
  end loop;
  return jsonb_build_object('reservations', v_reservations, 'grants', v_grants);
end $$;

-- Adds credits once per key, for ever. A debt is paid first, out of the new grant.
create function top_up(p_organization uuid, p_key text, p_body_hash text, p_wallet uuid, p_entry uuid, p_grant uuid, p_kind text, p_amount bigint,
  p_expires_days int, p_order jsonb, p_actor text) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_idem idempotency;
  w wallet;
  v_repaid bigint;
  v_source text := case when p_kind in ('PAID', 'PLAN') then 'external:cash' else 'platform:promo' end;
  v_expires timestamptz := now() + make_interval(days => p_expires_days);
begin
  insert into idempotency (scope, command, key, body_hash) values (p_organization::text, 'top-up', p_key, p_body_hash) on conflict do nothing;
  if not found then
    select * into v_idem from idempotency where scope = p_organization::text and command = 'top-up' and key = p_key;
    if v_idem.body_hash <> p_body_hash then return refusal('IDEMPOTENCY_CONFLICT'); end if;
    return v_idem.answer || '{"replayed": true}';
  end if;
  insert into ledger_account (id, kind, organization_id) values ('wallet:' || p_organization, 'wallet', p_organization), ('receivable:' || p_organization, 'receivable', p_organization)
    on conflict do nothing;
  insert into wallet (organization_id, id) values (p_organization, p_wallet) on conflict do nothing;
  select * into w from wallet where organization_id = p_organization for update;
  v_repaid := least(w.debt, p_amount);
  update wallet set balance = balance + p_amount - v_repaid, debt = debt - v_repaid, seq = seq + 1, next_expiry = least(next_expiry, v_expires)
    where organization_id = p_organization returning * into w;
  insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, saleor_api_url, saleor_order_id, saleor_line_id, actor)
    values (p_entry, p_organization, w.seq, case when p_kind = 'PAID' then 'TOP_UP' else 'GRANT' end, p_amount - v_repaid, w.balance,
      p_order ->> 'saleorApiUrl', p_order ->> 'orderId', p_order ->> 'lineId', p_actor);
  insert into transfer values (p_entry, 1, p_organization, v_source, 'wallet:' || p_organization, p_amount, p_kind);
  insert into grants (id, organization_id, kind, priority, granted, remaining, expires_at, source_key, entry_id)
    values (p_grant, p_organization, p_kind, case p_kind when 'TRIAL' then 10 when 'PROMO' then 20 when 'PLAN' then 30 when 'REFUND' then 40 else 50 end,
      p_amount, p_amount - v_repaid, v_expires, p_key, p_entry);
  if v_repaid > 0 then
    insert into transfer values (p_entry, 2, p_organization, 'wallet:' || p_organization, 'receivable:' || p_organization, v_repaid, 'DEBT_REPAID');
    insert into grant_draw values (p_entry, p_grant, p_organization, v_repaid);
  end if;
  update idempotency set answer = jsonb_build_object('ok', true, 'ledgerEntryId', p_entry, 'balance', w.balance::text, 'replayed', false)
    where scope = p_organization::text and command = 'top-up' and key = p_key returning * into v_idem;
  perform tell_wallet(p_organization);
  return v_idem.answer;
end $$;

-- Takes a revoked top-up back: what is left of its grant now, the rest as debt. Once per key.
create function claw_back(p_organization uuid, p_key text, p_top_up_key text, p_entry uuid, p_actor text) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_idem idempotency;
  g grants;
  w wallet;
  v_taken bigint;
  v_owed bigint;
begin
  insert into idempotency (scope, command, key, body_hash) values (p_organization::text, 'claw-back', p_key, p_top_up_key) on conflict do nothing;
  if not found then
    select * into v_idem from idempotency where scope = p_organization::text and command = 'claw-back' and key = p_key;
    if v_idem.body_hash <> p_top_up_key then return refusal('IDEMPOTENCY_CONFLICT'); end if;
    return v_idem.answer || '{"replayed": true}';
  end if;
  select * into w from wallet where organization_id = p_organization for update;
  select * into g from grants where organization_id = p_organization and source_key = p_top_up_key and not revoked for update;
  if not found then
    delete from idempotency where scope = p_organization::text and command = 'claw-back' and key = p_key;
    return refusal('TOP_UP_NOT_FOUND');
  end if;
  v_taken := least(g.remaining, w.balance - w.reserved);
  v_owed := g.granted - v_taken;
  update grants set remaining = remaining - v_taken, revoked = true where id = g.id;
  update wallet set balance = balance - v_taken, debt = debt + v_owed, seq = seq + 1 where organization_id = p_organization returning * into w;
  insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, saleor_api_url, saleor_order_id, saleor_line_id, actor, reason)
    select p_entry, p_organization, w.seq, 'REFUND', -v_taken, w.balance, saleor_api_url, saleor_order_id, saleor_line_id, p_actor, 'order revoked'
    from ledger_entry where id = g.entry_id;
  if v_taken > 0 then
    insert into transfer values (p_entry, 1, p_organization, 'wallet:' || p_organization, 'external:cash', v_taken, 'CLAWBACK');
    insert into grant_draw values (p_entry, g.id, p_organization, v_taken);
  end if;
  if v_owed > 0 then
    insert into transfer values (p_entry, 2, p_organization, 'receivable:' || p_organization, 'external:cash', v_owed, 'CLAWBACK_OWED');
  end if;
  update idempotency set answer = jsonb_build_object('ok', true, 'ledgerEntryId', p_entry, 'taken', v_taken::text, 'receivable', v_owed::text, 'replayed', false)
    where scope = p_organization::text and command = 'claw-back' and key = p_key returning * into v_idem;
  perform tell_wallet(p_organization);
  return v_idem.answer;
end $$;
