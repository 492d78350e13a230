-- A test message to an endpoint is a delivery like all others.
grant insert on deliveries to carillon_ingest;

-- Who has a number: a STOP comes from it, and says nothing of tenants.
create index users_by_phone on users (regexp_replace(phone, '[\s().\-/]', '', 'g')) where phone is not null;
