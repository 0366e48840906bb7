-- A receiver that is away is tried for ever; only its refusals count towards parking a fact.
alter table outbox add column refusals int not null default 0;
