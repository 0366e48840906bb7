-- An order may name a person of the shop and no e-mail: it waits for whoever turns out to be that person.
alter table order_claim alter column email drop not null;
create index order_claim_of_person on order_claim ((snapshot -> 'order' ->> 'userId')) where claimed_by is null;

-- What an instance was asked for with under its key, so that the key with another body is refused; null for those made before, and for lines of orders.
alter table instance add column request_hash text;
