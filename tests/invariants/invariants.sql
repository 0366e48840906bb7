-- What must hold in the ledger at every moment (schema billing). Each statement names itself and must return no row.

select 'wallet.reserved is the sum of its open reservations' as invariant, organization_id::text as subject,
  format('reserved %s, open %s', w.reserved, coalesce(r.open, 0)) as facts
from billing.wallet w full join (select organization_id, sum(amount)::bigint as open from billing.reservation where status = 'OPEN' group by 1) r using (organization_id)
where coalesce(w.reserved, 0) <> coalesce(r.open, 0);

select 'wallet.balance is the balance after its last entry' as invariant, organization_id::text as subject,
  format('balance %s, last entry %s, seq %s of %s', w.balance, e.balance_after, e.seq, w.seq) as facts
from billing.wallet w full join (select distinct on (organization_id) organization_id, balance_after, seq from billing.ledger_entry order by organization_id, seq desc) e using (organization_id)
where coalesce(w.balance, 0) <> coalesce(e.balance_after, 0) or coalesce(w.seq, 0) <> coalesce(e.seq, 0);

select 'wallet.balance is the sum of credits minus debits of its account' as invariant, organization_id::text as subject,
  format('balance %s, transfers %s', w.balance, coalesce(t.net, 0)) as facts
from billing.wallet w full join (
  select organization_id, sum(case when credit_account = 'wallet:' || organization_id then amount when debit_account = 'wallet:' || organization_id then -amount else 0 end)::bigint as net
  from billing.transfer group by 1) t using (organization_id)
where coalesce(w.balance, 0) <> coalesce(t.net, 0);

select 'wallet.balance is the sum of what is left of its grants' as invariant, organization_id::text as subject,
  format('balance %s, grants %s', w.balance, coalesce(g.remaining, 0)) as facts
from billing.wallet w full join (select organization_id, sum(remaining)::bigint as remaining from billing.grants group by 1) g using (organization_id)
where coalesce(w.balance, 0) <> coalesce(g.remaining, 0);

select 'wallet.debt is what its receivable account is owed' as invariant, organization_id::text as subject,
  format('debt %s, receivable %s', w.debt, coalesce(t.owed, 0)) as facts
from billing.wallet w full join (
  select organization_id, sum(case when debit_account like 'receivable:%' then amount when credit_account like 'receivable:%' then -amount else 0 end)::bigint as owed
  from billing.transfer group by 1) t using (organization_id)
where coalesce(w.debt, 0) <> coalesce(t.owed, 0);

select 'ledger seq is 1, 2, 3 … without gaps or forks' as invariant, organization_id::text as subject, format('%s entries, seq %s to %s', count(*), min(seq), max(seq)) as facts
from billing.ledger_entry group by organization_id having min(seq) <> 1 or max(seq) <> count(*) or count(distinct seq) <> count(*);

select 'an entry changes the balance by its amount' as invariant, id::text as subject, format('%s after %s is not %s', amount, before, balance_after) as facts
from (select id, amount, balance_after, lag(balance_after, 1, 0::bigint) over (partition by organization_id order by seq) as before from billing.ledger_entry) e
where balance_after <> before + amount;

select 'an entry moves its wallet by the sum of its transfers' as invariant, e.id::text as subject, format('amount %s, transfers %s', e.amount, coalesce(t.net, 0)) as facts
from billing.ledger_entry e left join (
  select entry_id, sum(case when credit_account like 'wallet:%' then amount when debit_account like 'wallet:%' then -amount else 0 end)::bigint as net from billing.transfer group by 1) t on t.entry_id = e.id
where e.amount <> coalesce(t.net, 0);

select 'a settled reservation has its one settling entry, an open or released one has none' as invariant, r.id::text as subject, format('status %s, entry %s', r.status, r.entry_id) as facts
from billing.reservation r left join billing.ledger_entry e on e.id = r.id and e.run_id = r.id and e.kind = 'SETTLEMENT' and e.organization_id = r.organization_id
where (r.status = 'SETTLED' and (e.id is null or r.entry_id is distinct from e.id)) or (r.entry_id is not null and e.id is null)
  or (r.status in ('OPEN', 'RELEASED') and (r.entry_id is not null or e.id is not null or r.charged <> 0));

select 'a settlement is of a reservation of its organization' as invariant, e.id::text as subject, format('run %s', e.run_id) as facts
from billing.ledger_entry e left join billing.reservation r on r.id = e.run_id and r.organization_id = e.organization_id
where e.kind = 'SETTLEMENT' and r.id is null;

select 'what a run was charged is what its entries moved' as invariant, r.id::text as subject, format('charged %s, moved %s', r.charged, coalesce(t.moved, 0)) as facts
from billing.reservation r left join (
  select e.run_id, sum(t.amount)::bigint as moved from billing.ledger_entry e join billing.transfer t on t.entry_id = e.id
  where e.kind = 'SETTLEMENT' and t.credit_account in ('platform:revenue', 'platform:promo') and t.debit_account <> 'platform:absorbed' group by 1) t on t.run_id = r.id
where r.charged <> coalesce(t.moved, 0);

select 'usage lines add up to the charge and what the store bears above it' as invariant, e.id::text as subject, format('lines %s, transfers %s', coalesce(u.amount, 0), coalesce(t.amount, 0)) as facts
from billing.ledger_entry e
  left join (select entry_id, sum(amount)::bigint as amount from billing.usage_line group by 1) u on u.entry_id = e.id
  left join (select entry_id, sum(amount)::bigint as amount from billing.transfer group by 1) t on t.entry_id = e.id
where e.kind = 'SETTLEMENT' and coalesce(u.amount, 0) <> coalesce(t.amount, 0);

select 'the store bears only what a run used above its own maximum' as invariant, e.id::text as subject, format('charged %s of at most %s', r.charged, r.max_charge) as facts
from billing.transfer t join billing.ledger_entry e on e.id = t.entry_id left join billing.reservation r on r.id = e.run_id
where t.debit_account = 'platform:absorbed' and r.charged is distinct from r.max_charge;

select 'grants were drawn for what left the wallet' as invariant, e.id::text as subject, format('drawn %s, left %s', coalesce(d.amount, 0), coalesce(t.debited, 0)) as facts
from billing.ledger_entry e
  left join (select entry_id, sum(amount)::bigint as amount from billing.grant_draw group by 1) d on d.entry_id = e.id
  left join (select entry_id, sum(amount)::bigint as debited from billing.transfer where debit_account like 'wallet:%' group by 1) t on t.entry_id = e.id
where coalesce(d.amount, 0) <> coalesce(t.debited, 0);

select 'what is left of a grant is what was granted minus its draws' as invariant, g.id::text as subject, format('remaining %s of %s, drawn %s', g.remaining, g.granted, coalesce(d.amount, 0)) as facts
from billing.grants g left join (select grant_id, sum(amount)::bigint as amount from billing.grant_draw group by 1) d on d.grant_id = g.id
where g.remaining <> g.granted - coalesce(d.amount, 0);

select 'the sum over all ledger accounts is zero' as invariant, 'all' as subject, format('sum %s', sum(net)) as facts
from (select a.id, coalesce((select sum(amount) from billing.transfer where credit_account = a.id), 0) - coalesce((select sum(amount) from billing.transfer where debit_account = a.id), 0) as net
  from billing.ledger_account a) accounts having sum(net) <> 0;

select 'a transfer is between accounts of its organization and of the platform' as invariant, t.entry_id::text as subject, format('%s to %s', t.debit_account, t.credit_account) as facts
from billing.transfer t join billing.ledger_account d on d.id = t.debit_account join billing.ledger_account c on c.id = t.credit_account
where coalesce(d.organization_id, t.organization_id) <> t.organization_id or coalesce(c.organization_id, t.organization_id) <> t.organization_id;

select 'a transfer, usage line or draw belongs to an entry of its organization' as invariant, p.entry_id::text as subject, p.part as facts
from (select entry_id, organization_id, 'transfer' as part from billing.transfer union all select entry_id, organization_id, 'usage line' from billing.usage_line
  union all select entry_id, organization_id, 'grant draw' from billing.grant_draw) p
  left join billing.ledger_entry e on e.id = p.entry_id and e.organization_id = p.organization_id where e.id is null;

select 'a wallet knows the earliest end of its grants' as invariant, w.organization_id::text as subject, format('knows %s, earliest %s', w.next_expiry, min(g.expires_at)) as facts
from billing.wallet w join billing.grants g on g.organization_id = w.organization_id and g.remaining > 0
group by w.organization_id, w.next_expiry having min(g.expires_at) < coalesce(w.next_expiry, 'infinity');

select 'a line of an order gives credits once, to one organization' as invariant, saleor_order_id || ' ' || saleor_line_id as subject,
  format('%s entries for %s organizations', count(*), count(distinct organization_id)) as facts
from billing.ledger_entry where kind in ('TOP_UP', 'GRANT') and saleor_line_id is not null
group by saleor_api_url, saleor_order_id, saleor_line_id having count(*) > 1;
