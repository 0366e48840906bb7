-- Whatever a runtime claims to have used, a run can be settled, and what cannot be ended does not keep the rest from it.

lock table reservation, wallet, ledger_entry, grants, transfer in access exclusive mode;

-- The most that a run can cost, in µcr: a thousand million credits. A price beyond it is a fault of somebody, and no reason to charge nothing.
create function most_at_once() returns numeric language sql immutable parallel safe as $$
  select 1000000000000000::numeric
$$;

-- Usage priced by a rate card: one row per dimension, each the difference of running sums rounded up and bounded, so that the lines add up to
-- the total that is rounded up once, in whole numbers. Sums are numeric: no quantity or price overflows.
create or replace function rate_usage(p_offering uuid, p_version int, p_usage jsonb)
returns table (dimension text, quantity bigint, unit_price bigint, amount bigint) language sql stable as $$
  with priced as (
    select u.dimension, least(sum(u.quantity), 1000000000000000000)::bigint as quantity, coalesce((c.prices ->> u.dimension)::bigint, 0) as unit_price
    from jsonb_to_recordset(p_usage) as u (dimension text, quantity numeric)
    join rate_card c on c.offering_id = p_offering and c.version = p_version
    group by u.dimension, c.prices
  ), running as (
    select *, sum(quantity::numeric * unit_price) over (order by dimension) as upto, quantity::numeric * unit_price as own from priced
  )
  select dimension, quantity, unit_price,
    (least(div(upto + 999999, 1000000), most_at_once()) - least(div(upto - own + 999999, 1000000), most_at_once()))::bigint from running
$$;

-- A wallet whose grants could not be ended is left alone until then.
alter table wallet add column sweep_after timestamptz;

-- One batch of the sweep: due reservations, then ended grants, wallet by wallet in the order of their organizations, so that two sweeps never
-- wait for each other crosswise. What cannot be ended is told, and asked again later: the longer it has been so, the later (a quarter of its age,
-- an hour at most), so that it does not take the places of the rest.
create or replace function sweep(p_limit int) returns jsonb language plpgsql set agentstore.scope = '*' as $$
declare
  v_reservations int := 0;
  v_grants int := 0;
  v_seen int := 0;
  v_failures jsonb := '[]';
  v_changed uuid[] := '{}';
  item record;
begin
  for item in
    select organization_id, id from reservation where status = 'OPEN' and expires_at <= now()
    union all
    select organization_id, null from (
      select g.organization_id, w.sweep_after from grants g join wallet w using (organization_id) where g.remaining > 0 and g.expires_at <= now() and w.balance > w.reserved
      union
      select g.organization_id, w.sweep_after from grants g join wallet w using (organization_id)
        where g.remaining > 0 and g.revoked and w.debt > 0 and w.balance > w.reserved) ended
      where sweep_after is null or sweep_after <= now()
    order by organization_id, id nulls last limit p_limit
  loop
    v_seen := v_seen + 1;
    begin
      if item.id is null then
        v_grants := v_grants + expire_grants(item.organization_id);
        v_changed := v_changed || item.organization_id;
      elsif expire_reservation(item.id) then
        v_reservations := v_reservations + 1;
        v_changed := v_changed || item.organization_id;
      end if;
    exception when others then
      v_failures := v_failures || jsonb_build_object('organizationId', item.organization_id, 'runId', item.id, 'error', sqlerrm);
      if item.id is null then
        update wallet set sweep_after = now() + interval '1 minute' where organization_id = item.organization_id;
      else
        -- skip locked: whoever holds it may be waiting for a wallet that this sweep has.
        update reservation set expires_at = now() + least(interval '1 hour', greatest(interval '10 seconds', (now() - created_at) / 4))
          where id = (select id from reservation where id = item.id and status = 'OPEN' for update skip locked);
      end if;
    end;
  end loop;
  return jsonb_build_object('reservations', v_reservations, 'grants', v_grants, 'organizationIds', to_jsonb(v_changed), 'failures', v_failures, 'more', v_seen = p_limit);
end $$;
