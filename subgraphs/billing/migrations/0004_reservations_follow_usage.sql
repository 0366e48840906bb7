-- A reservation covers what its run has used: it is raised as usage is rated, and a run that can be covered no further is told so, before it
-- is given away. Old calls of `extend_run` keep working: the new argument has a default.

lock table reservation, wallet, ledger_entry, grants, transfer in access exclusive mode;

-- What a run used above its own maximum is the store's: booked, so that the books show it.
alter table ledger_account drop constraint ledger_account_kind_check;
alter table ledger_account add constraint ledger_account_kind_check
  check (kind in ('wallet', 'receivable', 'platform_revenue', 'platform_promo', 'platform_absorbed', 'external_cash', 'breakage'));
insert into ledger_account (id, kind) values ('platform:absorbed', 'platform_absorbed');

-- The last checkpoint whose raise was granted: one that was refused may be asked again under its seq.
alter table reservation add column raised_seq int;
update reservation set raised_seq = checkpoint_seq where checkpoint is not null;

-- What was told under a key the first time: the same key with another body is answered as before, and says that it differs.
alter table reservation add column raised_hash text, add column settled_hash text;
create function body_hash(p_body jsonb) returns text language sql immutable parallel safe as $$
  select encode(sha256(convert_to(p_body::text, 'UTF8')), 'hex')
$$;

-- Moves an amount from available to reserved. Answers null when it did, else the refusal. `missing` is what a top-up must bring: it pays the
-- debt first.
create or replace function reserve_credits(p_organization uuid, p_amount bigint, p_for uuid) returns jsonb language plpgsql as $$
declare
  w wallet;
  v_due uuid;
begin
  -- The limit is a predicate on the row being updated: PostgreSQL rechecks it on the newest version after waiting for its lock.
  update wallet set reserved = reserved + p_amount
    where organization_id = p_organization and state = 'OPEN' and balance - reserved >= p_amount and (next_expiry is null or next_expiry > now());
  if found then return null; end if;
  -- An update does not wait for a row whose last committed version fails the predicate; this does, for whoever is giving credits back now.
  select * into w from wallet where organization_id = p_organization for update;
  if not found then
    return refusal('WALLET_NOT_FOUND', jsonb_build_object('required', p_amount::text, 'available', '0', 'missing', p_amount::text));
  end if;
  if w.state = 'FROZEN' then return refusal('WALLET_FROZEN'); end if;
  -- A sweep that lags must never refuse: reclaim what is due in this wallet, then ask once more. What cannot be ended keeps only its own
  -- credits; the sweep tells of it.
  for v_due in select id from reservation where organization_id = p_organization and status = 'OPEN' and expires_at <= now() and id <> p_for order by id loop
    begin
      perform expire_reservation(v_due);
    exception when others then
      continue;
    end;
  end loop;
  perform expire_grants(p_organization);
  update wallet set reserved = reserved + p_amount where organization_id = p_organization and balance - reserved >= p_amount;
  if found then return null; end if;
  select * into w from wallet where organization_id = p_organization;
  -- contended: somebody holds a due reservation and is waiting for this wallet; to wait for them here would be a deadlock. Ask again.
  return refusal('INSUFFICIENT_CREDITS', jsonb_build_object('required', p_amount::text, 'available', (w.balance - w.reserved)::text,
    'missing', (p_amount::numeric + w.debt - (w.balance - w.reserved))::text,
    'contended', exists (select from reservation where organization_id = p_organization and status = 'OPEN' and expires_at <= now() and id <> p_for)));
end $$;

-- Reserves credits for a run. The run's id is the idempotency key: the same command again gets the first answer, another body a conflict.
-- A denial leaves nothing behind, so the same run may be authorised after a top-up. A maximum below what is reserved could not be kept to.
create or replace function authorize_run(p_organization uuid, p_run uuid, p_instance uuid, p_offering uuid, p_amount bigint, p_max_charge bigint, p_ttl_seconds int, p_body_hash text)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
  card rate_card;
  v_refusal jsonb;
  v_amount bigint;
begin
  if abs(extract(epoch from time_of(p_run) - now())) > 86400 then return refusal('RUN_ID_OUT_OF_TIME'); end if;
  select * into card from rate_card where offering_id = p_offering order by version desc limit 1;
  if not found then return refusal('RATE_CARD_NOT_FOUND'); end if;
  v_amount := coalesce(p_amount, card.reserve);
  -- A run that was authorised before its card reserved more keeps its answer.
  if p_max_charge < v_amount and not exists (select from reservation where id = p_run) then
    return refusal('MAX_CHARGE_TOO_LOW', jsonb_build_object('required', v_amount::text));
  end if;
  insert into reservation (id, organization_id, instance_id, offering_id, amount, max_charge, rate_version, body_hash, expires_at)
    values (p_run, p_organization, p_instance, p_offering, v_amount, p_max_charge, card.version, p_body_hash, now() + make_interval(secs => p_ttl_seconds))
    on conflict do nothing returning * into r;
  if not found then
    select * into r from reservation where id = p_run;
    if r.organization_id <> p_organization or r.body_hash <> p_body_hash then return refusal('IDEMPOTENCY_CONFLICT'); end if;
    return reservation_answer(r, true);
  end if;
  v_refusal := reserve_credits(p_organization, v_amount, p_run);
  if v_refusal is not null then
    delete from reservation where id = p_run;
    return v_refusal;
  end if;
  perform tell_wallet(p_organization);
  return reservation_answer(r, false);
end $$;

-- Keeps a running run's reservation alive, notes the usage so far, and raises it: by the amount asked, and at least to the price of `p_cover`,
-- what the run would be charged were it to end now (`p_usage`, what a lost one is charged, unless said). A raise that is refused keeps the
-- reservation and the checkpoint all the same. A checkpoint that was told before (its seq is not greater) only keeps it alive.
drop function extend_run(uuid, uuid, bigint, jsonb, int, int);
create function extend_run(p_organization uuid, p_run uuid, p_amount bigint, p_usage jsonb, p_seq int, p_ttl_seconds int, p_cover jsonb default null)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
  v_refusal jsonb;
  v_short jsonb;
  v_wanted numeric;
  v_raise bigint := 0;
  v_replayed boolean;
  v_hash text := body_hash(jsonb_build_array(p_amount, p_usage));
  v_differs boolean;
begin
  select * into r from reservation where id = p_run and organization_id = p_organization for update;
  if not found then return refusal('RESERVATION_NOT_FOUND'); end if;
  if r.status <> 'OPEN' then return refusal('RESERVATION_NOT_OPEN', jsonb_build_object('state', r.status)); end if;
  v_replayed := coalesce(p_seq <= r.raised_seq, false);
  v_differs := coalesce(p_seq = r.raised_seq and v_hash <> r.raised_hash, false);
  if not v_replayed then
    select greatest(r.amount::numeric + p_amount, coalesce(sum(amount), 0)) into v_wanted
      from rate_usage(r.offering_id, r.rate_version, coalesce(p_cover, p_usage));
    if v_wanted > r.max_charge then
      v_refusal := refusal('MAX_CHARGE_REACHED', jsonb_build_object('required', v_wanted::text, 'maxCharge', r.max_charge::text));
      v_wanted := r.max_charge;
    end if;
    v_raise := least(v_wanted, 9223372036854775807)::bigint - r.amount;
    if v_raise > 0 then
      v_short := reserve_credits(p_organization, v_raise, p_run);
      if v_short is null then
        perform tell_wallet(p_organization);
      else
        v_refusal := v_short;
        v_raise := 0;
      end if;
    end if;
  end if;
  update reservation set expires_at = greatest(expires_at, now() + make_interval(secs => p_ttl_seconds)),
      amount = amount + v_raise,
      checkpoint = case when checkpoint is null or p_seq > checkpoint_seq then p_usage else checkpoint end,
      checkpoint_seq = greatest(checkpoint_seq, p_seq),
      raised_seq = case when v_replayed or v_refusal is not null then raised_seq else p_seq end,
      raised_hash = case when v_replayed or v_refusal is not null then raised_hash else v_hash end
    where id = p_run returning * into r;
  return coalesce(v_refusal, reservation_answer(r, v_replayed) || jsonb_build_object('differs', v_differs));
end $$;

-- Charges a locked reservation for usage, up to the run's own maximum; the store bears the rest. `p_final` false is the sweep's: what comes
-- later books only the difference. Usage lines say what was used, whoever bears it.
create or replace function charge_reservation(r reservation, p_usage jsonb, p_final boolean, p_actor text) returns void language plpgsql as $$
declare
  w wallet;
  v_used bigint;
  v_new bigint;
  v_charge bigint;
  v_delta bigint;
  v_from_wallet bigint;
  v_paid bigint;
  v_held bigint := case when r.status = 'OPEN' then r.amount else 0 end;
  v_entry uuid := case when r.entry_id is null then r.id else uuidv7_now() end;
  v_leg int := 0;
begin
  select coalesce(sum(amount), 0)::bigint into v_used from rate_usage(r.offering_id, r.rate_version, p_usage);
  v_new := v_used - coalesce((select sum(amount) from usage_line where entry_id = r.entry_id), 0)::bigint;
  if r.entry_id is not null and v_new <= 0 then
    update reservation set status = case when p_final then 'SETTLED' else status end,
        settled_hash = case when p_final then body_hash(p_usage) end where id = r.id;
    return;
  end if;
  v_charge := greatest(r.charged, least(v_used, coalesce(r.max_charge, v_used)));
  v_delta := v_charge - r.charged;
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
  if v_new > v_delta then
    v_leg := v_leg + 1;
    insert into transfer values (v_entry, v_leg, r.organization_id, 'platform:absorbed', 'platform:revenue', v_new - v_delta, 'ABOVE_MAX_CHARGE');
  end if;
  -- Only what no entry of the run has billed yet; lines are cut where less of another dimension was used than was billed, so that they add up.
  insert into usage_line (entry_id, dimension, organization_id, quantity, unit_price, amount)
    with fresh as (
      select u.dimension, greatest(0, u.quantity - coalesce(b.quantity, 0)) as quantity, u.unit_price, greatest(0, u.amount - coalesce(b.amount, 0)) as amount
      from rate_usage(r.offering_id, r.rate_version, p_usage) u left join usage_line b on b.entry_id = r.entry_id and b.dimension = u.dimension
    ), upto as (select *, sum(amount) over (order by dimension) as upto from fresh)
    select v_entry, dimension, r.organization_id, quantity, unit_price, least(upto, v_new) - least(upto - amount, v_new) from upto
    where r.entry_id is null or quantity > 0 or amount > 0;
  update reservation set status = case when p_final then 'SETTLED' else 'EXPIRED' end, charged = v_charge, entry_id = coalesce(entry_id, v_entry),
      late_entry_id = case when r.entry_id is null then null else v_entry end, settled_hash = case when p_final then body_hash(p_usage) end
    where id = r.id;
  perform tell_wallet(r.organization_id);
end $$;

-- A run has one settling entry, and a second when it was swept at its checkpoint and settled later: the answer is of both together, under the
-- id of the first, which is the run's. With the balance after it and the balance now.
create or replace function settlement_answer(p_run uuid, p_replayed boolean) returns jsonb language plpgsql stable as $$
declare
  r reservation;
begin
  select * into r from reservation where id = p_run;
  return jsonb_build_object('ok', true, 'ledgerEntryId', r.entry_id, 'charge', r.charged::text, 'replayed', p_replayed,
    'balanceAfter', (select balance_after::text from ledger_entry where id = coalesce(r.late_entry_id, r.entry_id)),
    'balance', (select balance::text from wallet where organization_id = r.organization_id),
    'usage', coalesce((select jsonb_agg(jsonb_build_object('dimension', dimension, 'quantity', quantity::text, 'unitPrice', unit_price::text, 'amount', amount::text) order by dimension)
      from (select dimension, sum(quantity)::bigint as quantity, max(unit_price) as unit_price, sum(amount)::bigint as amount
        from usage_line where entry_id in (r.entry_id, r.late_entry_id) group by dimension) lines), '[]'),
    'transfers', coalesce((select jsonb_agg(jsonb_build_object('debitAccount', debit_account, 'creditAccount', credit_account, 'amount', amount::text, 'code', code)
      order by entry_id <> r.entry_id, leg) from transfer where entry_id in (r.entry_id, r.late_entry_id)), '[]'));
end $$;

-- Settles a run once, at what it used. A reservation that was swept in the meantime is still settled: the provider was already paid.
create or replace function settle_run(p_organization uuid, p_run uuid, p_usage jsonb, p_actor text) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
begin
  select * into r from reservation where id = p_run and organization_id = p_organization for update;
  if not found then return refusal('RESERVATION_NOT_FOUND'); end if;
  if r.status = 'SETTLED' then
    return settlement_answer(p_run, true) || jsonb_build_object('differs', coalesce(r.settled_hash <> body_hash(p_usage), false));
  end if;
  if r.status = 'RELEASED' then return refusal('RESERVATION_RELEASED'); end if;
  perform charge_reservation(r, p_usage, true, p_actor);
  return settlement_answer(p_run, false) || '{"differs": false}';
end $$;

-- Burns grants for an entry, in this order: those that have not ended, by priority (which is their kind's), earliest end, oldest; those that
-- have ended last. Answers how much of it was paid for with money. Whatever is in the balance can be drawn, also when the clock steps back.
create or replace function draw_grants(p_organization uuid, p_entry uuid, p_amount bigint) returns bigint language plpgsql as $$
declare
  v_left bigint := p_amount;
  v_paid bigint := 0;
  v_take bigint;
  g grants;
begin
  for g in select * from grants where organization_id = p_organization and remaining > 0
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
