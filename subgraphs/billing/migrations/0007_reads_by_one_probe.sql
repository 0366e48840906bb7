-- The balance at an instant is one probe.
create index ledger_entry_at on ledger_entry (organization_id, at desc, seq desc);
-- A wallet's open reservations: listed, and looked through by reserving when it finds too little.
create index reservation_open on reservation (organization_id, id) where status = 'OPEN';
