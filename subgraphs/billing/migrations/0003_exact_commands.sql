-- The commands made exact where two of them meet: retries, locks held by others, ends that come while a run counts on what ends.
-- Signatures stay, so that processes of the version before keep working while this one starts.

-- All locks at once and in the order in which commands take theirs, so that commands under way are waited for and never deadlocked with.
lock table reservation, wallet, ledger_entry, grants, transfer in access exclusive mode;

-- Partitions are asked through their table, whose policies then hold; asked directly they show nothing to the application's role.
create or replace function ensure_partitions(months_ahead int) returns int language plpgsql security definer set search_path from current as $$
declare
  parent text;
  month date;
  name text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(7261003);
  for i in 0..months_ahead loop
    month := date_trunc('month', now() at time zone 'UTC')::date + make_interval(months => i);
    foreach parent in array array['reservation', 'ledger_entry', 'transfer'] loop
      name := parent || '_' || to_char(month, 'YYYY_MM');
      continue when to_regclass(name) is not null;
      begin
        execute format('create table %I partition of %I for values from (%L) to (%L)', name, parent,
          uuid_at(month::timestamp at time zone 'UTC'), uuid_at((month + interval '1 month')::timestamp at time zone 'UTC'));
        execute format('alter table %I enable row level security', name);
        made := made + 1;
      exception when check_violation then
        -- The default partition has rows of this month already and keeps the rest of them; other months are not held up.
        raise warning 'no partition %: its month has begun in the default one', name;
      end;
    end loop;
  end loop;
  return made;
end $$;
do $$
declare
  partition regclass;
begin
  for partition in select inhrelid::regclass from pg_inherits where inhparent in ('reservation'::regclass, 'ledger_entry'::regclass, 'transfer'::regclass) loop
    execute format('alter table %s enable row level security', partition);
  end loop;
end $$;

create index grants_to_collect on grants (organization_id) where revoked and remaining > 0;

-- Takes back what a revoked top-up still has (as far as it is owed), and ends grants whose time is over; neither touches what open
-- reservations count on. The wallet's next_expiry stays in the past while something of the kind is left, so that reserving asks here first.
create or replace function expire_grants(p_organization uuid) returns int language plpgsql as $$
declare
  w wallet;
  g grants;
  v_take bigint;
  v_entry uuid;
  v_collect boolean;
  v_next timestamptz;
  v_done int := 0;
begin
  select * into w from wallet where organization_id = p_organization for update;
  if not found then return 0; end if;
  for g in select * from grants where organization_id = p_organization and remaining > 0 and (expires_at <= now() or revoked)
           order by revoked desc, expires_at, id for update loop
    v_collect := g.revoked and w.debt > 0;
    continue when not v_collect and (g.expires_at is null or g.expires_at > now());
    v_take := least(g.remaining, w.balance - w.reserved, case when v_collect then w.debt else g.remaining end);
    exit when v_take <= 0;
    v_entry := uuidv7_now();
    update grants set remaining = remaining - v_take where id = g.id;
    update wallet set balance = balance - v_take, debt = debt - case when v_collect then v_take else 0 end, seq = seq + 1
      where organization_id = p_organization returning * into w;
    insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, saleor_api_url, saleor_order_id, saleor_line_id, actor, reason)
      select v_entry, p_organization, w.seq, case when v_collect then 'REFUND' else 'EXPIRY' end, -v_take, w.balance,
        saleor_api_url, saleor_order_id, saleor_line_id, 'system:expiry', 'grant ' || g.id
      from (values (g.entry_id)) made (id) left join ledger_entry e on e.id = made.id;
    insert into transfer values (v_entry, 1, p_organization, 'wallet:' || p_organization,
      case when v_collect then 'receivable:' || p_organization else 'platform:breakage' end, v_take, case when v_collect then 'DEBT_REPAID' else 'GRANT_EXPIRED' end);
    insert into grant_draw values (v_entry, g.id, p_organization, v_take);
    v_done := v_done + 1;
  end loop;
  select min(case when revoked and w.debt > 0 then '-infinity' else expires_at end) into v_next
    from grants where organization_id = p_organization and remaining > 0;
  update wallet set next_expiry = v_next where organization_id = p_organization and next_expiry is distinct from v_next;
  if v_done > 0 then perform tell_wallet(p_organization); end if;
  return v_done;
end $$;
-- Wallets that were left without the mark of an end that is over.
update wallet w set next_expiry = g.earliest
  from (select organization_id, min(case when revoked then '-infinity' else expires_at end) as earliest from grants where remaining > 0 group by 1) g
  where g.organization_id = w.organization_id and w.next_expiry is distinct from g.earliest;

-- Moves an amount from available to reserved. Answers null when it did, else the refusal.
create function reserve_credits(p_organization uuid, p_amount bigint, p_for uuid) returns jsonb language plpgsql as $$
declare
  w wallet;
begin
  -- The limit is a predicate on the row being updated: PostgreSQL rechecks it on the newest version after waiting for its lock.
  update wallet set reserved = reserved + p_amount
    where organization_id = p_organization and state = 'OPEN' and balance - reserved >= p_amount and (next_expiry is null or next_expiry > now());
  if found then return null; end if;
  -- An update does not wait for a row whose last committed version fails the predicate; this does, for whoever is giving credits back now.
  select * into w from wallet where organization_id = p_organization for update;
  if not found then return refusal('WALLET_NOT_FOUND'); end if;
  if w.state = 'FROZEN' then return refusal('WALLET_FROZEN'); end if;
  -- A sweep that lags must never refuse: reclaim what is due in this wallet, then ask once more.
  perform expire_reservation(id) from reservation where organization_id = p_organization and status = 'OPEN' and expires_at <= now() and id <> p_for;
  perform expire_grants(p_organization);
  update wallet set reserved = reserved + p_amount where organization_id = p_organization and balance - reserved >= p_amount;
  if found then return null; end if;
  select * into w from wallet where organization_id = p_organization;
  -- contended: somebody holds a due reservation and is waiting for this wallet; to wait for them here would be a deadlock. Ask again.
  return refusal('INSUFFICIENT_CREDITS', jsonb_build_object('required', p_amount::text, 'available', (w.balance - w.reserved)::text,
    'missing', (p_amount - (w.balance - w.reserved))::text,
    'contended', exists (select from reservation where organization_id = p_organization and status = 'OPEN' and expires_at <= now() and id <> p_for)));
end $$;

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
  v_amount := least(coalesce(p_amount, card.reserve), coalesce(p_max_charge, 9223372036854775807));
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

-- Keeps a running run's reservation alive, raises it when asked and affordable, and notes the usage so far. A checkpoint that was told before
-- (its seq is not greater) only keeps it alive.
create or replace function extend_run(p_organization uuid, p_run uuid, p_amount bigint, p_usage jsonb, p_seq int, p_ttl_seconds int) returns jsonb
language plpgsql set agentstore.scope = '*' as $$
declare
  r reservation;
  v_refusal jsonb;
  v_replayed boolean;
begin
  select * into r from reservation where id = p_run and organization_id = p_organization for update;
  if not found then return refusal('RESERVATION_NOT_FOUND'); end if;
  if r.status <> 'OPEN' then return refusal('RESERVATION_NOT_OPEN', jsonb_build_object('state', r.status)); end if;
  v_replayed := r.checkpoint is not null and p_seq <= r.checkpoint_seq;
  if p_amount > 0 and not v_replayed then
    v_refusal := reserve_credits(p_organization, p_amount, p_run);
    if v_refusal is not null then return v_refusal; end if;
    perform tell_wallet(p_organization);
  end if;
  update reservation set expires_at = greatest(expires_at, now() + make_interval(secs => p_ttl_seconds)),
      amount = amount + case when v_replayed then 0 else p_amount end,
      checkpoint = case when v_replayed then checkpoint else p_usage end,
      checkpoint_seq = case when v_replayed then checkpoint_seq else p_seq end
    where id = p_run returning * into r;
  return reservation_answer(r, v_replayed);
end $$;

-- A run has one settling entry, and a second when it was swept at its checkpoint and settled later: the answer is of both together, under the
-- id of the first, which is the run's. Both are known by id, so that only their partitions are read.
alter table reservation add column late_entry_id uuid;
update reservation r set late_entry_id = e.id from ledger_entry e
  where e.run_id = r.id and e.kind = 'SETTLEMENT' and e.id <> r.entry_id;
create or replace function settlement_answer(p_run uuid, p_replayed boolean) returns jsonb language plpgsql stable as $$
declare
  r reservation;
begin
  select * into r from reservation where id = p_run;
  return jsonb_build_object('ok', true, 'ledgerEntryId', r.entry_id, 'charge', r.charged::text, 'replayed', p_replayed,
    'balanceAfter', (select balance_after::text from ledger_entry where id = coalesce(r.late_entry_id, r.entry_id)),
    'usage', coalesce((select jsonb_agg(jsonb_build_object('dimension', dimension, 'quantity', quantity::text, 'unitPrice', unit_price::text, 'amount', amount::text) order by dimension)
      from (select dimension, sum(quantity)::bigint as quantity, max(unit_price) as unit_price, sum(amount)::bigint as amount
        from usage_line where entry_id in (r.entry_id, r.late_entry_id) group by dimension) lines), '[]'),
    'transfers', coalesce((select jsonb_agg(jsonb_build_object('debitAccount', debit_account, 'creditAccount', credit_account, 'amount', amount::text, 'code', code)
      order by entry_id <> r.entry_id, leg) from transfer where entry_id in (r.entry_id, r.late_entry_id)), '[]'));
end $$;

-- Charges a locked reservation for usage. `p_final` false is the sweep's: what comes later books only the difference.
create or replace function charge_reservation(r reservation, p_usage jsonb, p_final boolean, p_actor text) returns void language plpgsql as $$
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
  -- Only what no entry of the run has billed yet; lines are cut where the charge is (a run's own maximum), so that they add up to it.
  insert into usage_line (entry_id, dimension, organization_id, quantity, unit_price, amount)
    with fresh as (
      select u.dimension, greatest(0, u.quantity - coalesce(b.quantity, 0)) as quantity, u.unit_price, greatest(0, u.amount - coalesce(b.amount, 0)) as amount
      from rate_usage(r.offering_id, r.rate_version, p_usage) u left join usage_line b on b.entry_id = r.entry_id and b.dimension = u.dimension
    ), upto as (select *, sum(amount) over (order by dimension) as upto from fresh)
    select v_entry, dimension, r.organization_id, quantity, unit_price, least(upto, v_delta) - least(upto - amount, v_delta) from upto
    where r.entry_id is null or quantity > 0 or amount > 0;
  update reservation set status = case when p_final then 'SETTLED' else 'EXPIRED' end, charged = v_charge, entry_id = coalesce(entry_id, v_entry),
      late_entry_id = case when r.entry_id is null then null else v_entry end where id = r.id;
  perform tell_wallet(r.organization_id);
end $$;

-- One batch of the sweep: due reservations, then ended grants, wallet by wallet in the order of their organizations, so that two sweeps never
-- wait for each other crosswise. What cannot be ended is told and left; it does not keep the rest.
create or replace function sweep(p_limit int) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_reservations int := 0;
  v_grants int := 0;
  v_seen int := 0;
  v_failures jsonb := '[]';
  item record;
begin
  for item in
    select organization_id, id from reservation where status = 'OPEN' and expires_at <= now()
    union all
    select organization_id, null from (
      select g.organization_id from grants g join wallet w using (organization_id) where g.remaining > 0 and g.expires_at <= now() and w.balance > w.reserved
      union
      select g.organization_id from grants g join wallet w using (organization_id) where g.remaining > 0 and g.revoked and w.debt > 0 and w.balance > w.reserved) ended
    order by organization_id, id nulls last limit p_limit
  loop
    v_seen := v_seen + 1;
    begin
      if item.id is null then
        v_grants := v_grants + expire_grants(item.organization_id);
      elsif expire_reservation(item.id) then
        v_reservations := v_reservations + 1;
      end if;
    exception when others then
      v_failures := v_failures || jsonb_build_object('organizationId', item.organization_id, 'runId', item.id, 'error', sqlerrm);
    end;
  end loop;
  return jsonb_build_object('reservations', v_reservations, 'grants', v_grants, 'failures', v_failures, 'more', v_seen = p_limit);
end $$;

-- As before, in whole numbers: a quotient of numerics is itself rounded, from about 10^12 µcr on above the last digit that matters.
create or replace function rate_usage(p_offering uuid, p_version int, p_usage jsonb)
returns table (dimension text, quantity bigint, unit_price bigint, amount bigint) language sql stable as $$
  with priced as (
    select u.dimension, sum(u.quantity)::bigint as quantity, coalesce((c.prices ->> u.dimension)::bigint, 0) as unit_price
    from jsonb_to_recordset(p_usage) as u (dimension text, quantity bigint)
    join rate_card c on c.offering_id = p_offering and c.version = p_version
    group by u.dimension, c.prices
  ), running as (
    select *, sum(quantity::numeric * unit_price) over (order by dimension) as upto, quantity::numeric * unit_price as own from priced
  )
  select dimension, quantity, unit_price, (div(upto + 999999, 1000000) - div(upto - own + 999999, 1000000))::bigint from running
$$;

-- Where credits of a kind come from, and go back to.
create function source_of(p_kind text) returns text language sql immutable as $$
  select case when p_kind in ('PAID', 'PLAN') then 'external:cash' else 'platform:promo' end
$$;

-- Adds credits once per key, for ever. A debt is paid first, out of the new grant. A REFUND is an operator's, with a reason: `p_order` is null then.
drop function top_up(uuid, text, text, uuid, uuid, uuid, text, bigint, int, jsonb, text);
create function top_up(p_organization uuid, p_key text, p_body_hash text, p_wallet uuid, p_entry uuid, p_grant uuid, p_kind text, p_amount bigint,
  p_expires_days int, p_order jsonb, p_actor text, p_reason text default null) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_idem idempotency;
  w wallet;
  v_repaid bigint;
  v_expires timestamptz := now() + make_interval(days => p_expires_days);
begin
  insert into idempotency (scope, command, key, body_hash) values (p_organization::text, 'top-up', p_key, p_body_hash) on conflict do nothing;
  if not found then
    select * into v_idem from idempotency where scope = p_organization::text and command = 'top-up' and key = p_key;
    if v_idem.answer ? 'refused' then return v_idem.answer; end if;
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
  insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, saleor_api_url, saleor_order_id, saleor_line_id, actor, reason)
    values (p_entry, p_organization, w.seq, case p_kind when 'PAID' then 'TOP_UP' when 'REFUND' then 'ADJUSTMENT' else 'GRANT' end, p_amount - v_repaid, w.balance,
      p_order ->> 'saleorApiUrl', p_order ->> 'orderId', p_order ->> 'lineId', p_actor, p_reason);
  insert into transfer values (p_entry, 1, p_organization, source_of(p_kind), 'wallet:' || p_organization, p_amount, case p_kind when 'REFUND' then 'ADJUSTMENT' else p_kind end);
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

-- Takes a revoked top-up back: what is left of its grant and not held by open reservations now, the rest as debt. What they give back of it
-- later pays that debt (expire_grants). Once per key. A top-up that comes after its claw-back is refused: the two of an order may cross.
create or replace function claw_back(p_organization uuid, p_key text, p_top_up_key text, p_entry uuid, p_actor text) returns jsonb language plpgsql set agentstore.scope = '*' as $$
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
  insert into idempotency (scope, command, key, body_hash, answer) values (p_organization::text, 'top-up', p_top_up_key, '', refusal('TOP_UP_REVOKED')) on conflict do nothing;
  if found then
    update idempotency set answer = jsonb_build_object('ok', true, 'ledgerEntryId', null, 'taken', '0', 'receivable', '0', 'replayed', false)
      where scope = p_organization::text and command = 'claw-back' and key = p_key returning * into v_idem;
    return v_idem.answer;
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
  update wallet set balance = balance - v_taken, debt = debt + v_owed, seq = seq + 1, next_expiry = case when g.remaining > v_taken then '-infinity' else next_expiry end
    where organization_id = p_organization returning * into w;
  insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, saleor_api_url, saleor_order_id, saleor_line_id, actor, reason)
    select p_entry, p_organization, w.seq, 'REFUND', -v_taken, w.balance, saleor_api_url, saleor_order_id, saleor_line_id, p_actor, 'order revoked'
    from (values (g.entry_id)) made (id) left join ledger_entry e on e.id = made.id;
  if v_taken > 0 then
    insert into transfer values (p_entry, 1, p_organization, 'wallet:' || p_organization, source_of(g.kind), v_taken, 'CLAWBACK');
    insert into grant_draw values (p_entry, g.id, p_organization, v_taken);
  end if;
  if v_owed > 0 then
    insert into transfer values (p_entry, 2, p_organization, 'receivable:' || p_organization, source_of(g.kind), v_owed, 'CLAWBACK_OWED');
  end if;
  update idempotency set answer = jsonb_build_object('ok', true, 'ledgerEntryId', p_entry, 'taken', v_taken::text, 'receivable', v_owed::text, 'replayed', false)
    where scope = p_organization::text and command = 'claw-back' and key = p_key returning * into v_idem;
  perform tell_wallet(p_organization);
  return v_idem.answer;
end $$;

-- An operator's correction of a wallet that exists, once per key: a REFUND grant, or credits taken from what is available.
create function adjust_wallet(p_organization uuid, p_key text, p_body_hash text, p_entry uuid, p_grant uuid, p_amount bigint, p_reason text, p_actor text)
returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_idem idempotency;
  w wallet;
begin
  select * into w from wallet where organization_id = p_organization;
  if not found then return refusal('WALLET_NOT_FOUND'); end if;
  if p_amount > 0 then
    return top_up(p_organization, p_key, p_body_hash, w.id, p_entry, p_grant, 'REFUND', p_amount, null, null, p_actor, p_reason);
  end if;
  insert into idempotency (scope, command, key, body_hash) values (p_organization::text, 'top-up', p_key, p_body_hash) on conflict do nothing;
  if not found then
    select * into v_idem from idempotency where scope = p_organization::text and command = 'top-up' and key = p_key;
    if v_idem.body_hash <> p_body_hash then return refusal('IDEMPOTENCY_CONFLICT'); end if;
    return v_idem.answer || '{"replayed": true}';
  end if;
  update wallet set balance = balance + p_amount, seq = seq + 1 where organization_id = p_organization and balance - reserved >= -p_amount returning * into w;
  if not found then
    delete from idempotency where scope = p_organization::text and command = 'top-up' and key = p_key;
    select * into w from wallet where organization_id = p_organization;
    return refusal('INSUFFICIENT_CREDITS', jsonb_build_object('required', (-p_amount)::text, 'available', (w.balance - w.reserved)::text,
      'missing', (-p_amount - (w.balance - w.reserved))::text));
  end if;
  insert into ledger_entry (id, organization_id, seq, kind, amount, balance_after, actor, reason)
    values (p_entry, p_organization, w.seq, 'ADJUSTMENT', p_amount, w.balance, p_actor, p_reason);
  perform draw_grants(p_organization, p_entry, -p_amount);
  insert into transfer values (p_entry, 1, p_organization, 'wallet:' || p_organization, 'platform:promo', -p_amount, 'ADJUSTMENT');
  update idempotency set answer = jsonb_build_object('ok', true, 'ledgerEntryId', p_entry, 'balance', w.balance::text, 'replayed', false)
    where scope = p_organization::text and command = 'top-up' and key = p_key returning * into v_idem;
  perform tell_wallet(p_organization);
  return v_idem.answer;
end $$;
